"""How many cases a run takes, and which."""

from datetime import timedelta

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "suite",
    max_examples=5,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile(
    "many",
    max_examples=200,
    deadline=timedelta(seconds=60),
    suppress_health_check=list(HealthCheck),
)


def pytest_configure(config):
    if config.getoption("--hypothesis-profile", None) is None:
        settings.load_profile("suite")
