"""The columns of the chapter's tables, and how they are written."""

from elboflow.reading.columns import Columns

DECIMALS = 9  # of most tables
BOUND_COLUMNS = ("rate_nats", "distortion_nats", "elbo_nats", "log_p_nats", "gap_nats", "kl_nats")
JENSEN = Columns(floats=("q_spam", *BOUND_COLUMNS), key=("q_spam",))
CASES = Columns(text=("case",), floats=("prior", "free", "lottery", "meeting"), key=("case",))
MAILS = Columns(
    integers=("free", "lottery", "meeting"),
    floats=("joint_spam", "joint_no_spam", "evidence", "posterior_spam"),
    key=("free", "lottery", "meeting"),
)
SHARES = Columns(
    integers=("spam", "no_spam"),
    floats=("share", "likelihood", "log_likelihood_nats"),
    key=("share",),
)
GAUSSIANS = Columns(
    floats=("q_mean", "q_sd", "p_mean", "p_sd", "kl_nats", "integral_nats"), key=("q_mean",)
)
ESTIMATORS = Columns(
    text=("example", "estimator"),
    floats=("gradient", "mean", "sd"),
    key=("example", "estimator"),
)
EVIDENCE = Columns(
    integers=("image",),
    floats=("log_p_nats", "coarse_log_p_nats", "encoder_elbo_nats", "non_gaussianity_nats"),
    key=("image",),
)
POSTERIORS = Columns(
    text=("family",),
    integers=("image", "parameters"),
    floats=BOUND_COLUMNS,
    key=("image", "family"),
)
COMPONENTS = Columns(
    text=("family",),
    integers=("image", "component"),
    floats=("weight", "mean_1", "mean_2", "variance_1", "covariance", "variance_2"),
    key=("image", "family", "component"),
)
SURFACE = Columns(
    integers=("image",),
    floats=("mean_1", "mean_2", "sd", "rate_nats", "distortion_nats", "elbo_nats", "log_p_nats"),
    key=("mean_1", "sd"),
)
DISCRETE = Columns(integers=("image",), floats=("log_p_nats", "elbo_nats", "gap_nats", "kl_nats"))
STATES = Columns(
    text=("state",), integers=("image",), floats=("posterior", "mean_field"), key=("image", "state")
)
GRADIENTS = Columns(
    text=("estimator",),
    floats=("norm_nats", "bias_nats", "bias_error_nats", "sd_nats"),
    optional=("temperature",),
    key=("estimator", "temperature"),
)
CURVES = Columns(text=("data", "model"), floats=("threshold", "precision", "recall"))
CLASSIFIERS = Columns(
    text=("data", "model"),
    integers=("test", "positives", "true_positives", "false_positives", "constant"),
    floats=(
        *("threshold", "precision", "precision_low", "precision_high"),
        *("recall", "recall_low", "recall_high"),
        *("average_precision", "average_precision_low", "average_precision_high"),
        *("cross_entropy_nats", "cross_entropy_low_nats", "cross_entropy_high_nats"),
    ),
    optional=("log_p_nats", "log_p_error_nats"),
    key=("data", "model", "threshold"),
)
RELIABILITY = Columns(
    text=("data", "model"),
    integers=("cases", "positives"),
    floats=("from", "to", "mean_p", "share", "share_low", "share_high"),
    key=("data", "model", "from"),
)


class Disagreement(ArithmeticError):
    """Two ways to the same number that differ: a defect of the computation."""
