"""The columns of the tables that the stages and the rules of tables write."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Columns:
    """The columns that a table must have; `optional` ones are numbers that may be left empty.

    `lacking` are those of them that may be missing altogether, as of a model without latents.
    No two rows have the same values in all of the columns `key`.
    """

    text: tuple[str, ...] = ()
    integers: tuple[str, ...] = ()
    floats: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    key: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return self.text + self.integers + self.floats + self.optional

    @property
    def gathered(self) -> "Columns":
        """The same columns in a table of all runs and seeds."""
        return replace(
            self,
            text=("run", *self.text),
            integers=("seed", *self.integers),
            key=("run", "seed", *self.key),
        )


# Of the table and of the figure that show them.
BASELINES = {"noise_floor": "noise floor", "mean_image": "mean image"}
ELBO_PARTS = ("elbo_nats", "rate_nats", "distortion_nats")
METRICS = Columns(
    integers=("epoch", "step"),
    floats=tuple(f"validation_{part}" for part in ELBO_PARTS),
    optional=(  # empty of weights that were trained elsewhere
        *("learning_rate", "beta", "train_objective_nats"),
        *(f"train_{part}" for part in ELBO_PARTS),
        "gradient_norm",
    ),
    key=("epoch",),
)
RESULTS = Columns(
    text=("quantity", "unit"),
    floats=("value",),
    optional=("data_error", "monte_carlo_error"),
    integers=("images",),
    key=("quantity",),
)
UNITS = Columns(
    integers=("unit", "active"),
    floats=("posterior_mean_variance",),
    optional=("rate_nats",),  # empty where the KL is no sum over dimensions
    key=("unit",),
)
CHECKS = Columns(text=("check", "status", "detail"), key=("check",))
CURVE = Columns(
    floats=("samples", "bound_nats", "monte_carlo_error_nats"),
    optional=("rise_nats", "rise_error_nats"),  # empty for the fewest samples
    key=("samples",),
)
SETTINGS = Columns(text=("run", "part", "key", "value"), key=("run", "key"))
SUMMARY = Columns(
    text=("run", "quantity", "unit"),
    floats=("mean",),
    optional=("data_error", "monte_carlo_error", "seed_sd"),
    integers=("seeds",),
    key=("run", "quantity"),
)
PER_IMAGE = Columns(
    integers=("image",),
    floats=(
        *("elbo_nats", "elbo_monte_carlo_error_nats"),
        *("log_likelihood_nats", "log_likelihood_monte_carlo_error_nats"),
    ),
    lacking=(
        *("elbo_nats", "elbo_monte_carlo_error_nats"),
        "log_likelihood_monte_carlo_error_nats",  # of one that is exact
    ),
    key=("image",),
)
OF_SAMPLES = ("log_likelihood_at_half_nats", "ess")
SCORES = Columns(
    integers=PER_IMAGE.integers,
    floats=(*PER_IMAGE.floats, *OF_SAMPLES),
    lacking=(*PER_IMAGE.lacking, *OF_SAMPLES),
    key=PER_IMAGE.key,
)
SCORES_SUMMARY = replace(SUMMARY, text=("dataset", *SUMMARY.text), key=("dataset", *SUMMARY.key))
COMPARISONS = Columns(
    text=("dataset", "observes", "quantity", "run", "other"),
    floats=(
        *("difference", "data_error", "monte_carlo_error", "run_shortfall", "other_shortfall"),
        *("lower", "upper", "simultaneous_lower", "simultaneous_upper"),
    ),
    optional=(  # nothing where a run has one seed
        *("seed_error", "lower_with_seeds", "upper_with_seeds"),
        *("simultaneous_lower_with_seeds", "simultaneous_upper_with_seeds"),
    ),
    integers=("run_seeds", "other_seeds", "images"),
    key=("quantity", "run", "other"),
)
REPRODUCTION = Columns(
    text=("run", "published", "citation", "otherwise"),
    floats=(
        *("published_value", "mean", "difference", "lower", "upper"),
        *("monte_carlo_error", "sampling_error", "shortfall"),
    ),
    optional=("published_error", "seed_sd", "seed_error", "binarisation_error"),
    integers=("seeds", "passes", "published_passes"),
    key=("run",),
)
