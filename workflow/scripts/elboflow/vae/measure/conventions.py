"""What the tables of results mean by their words, for those that write and those that read them."""

NATS = "nats per image"
CONFIDENCE = 0.95  # of every interval
INFORMATIVE = 0.1  # nats of KL on average, from which on a dimension of z is counted as informative
