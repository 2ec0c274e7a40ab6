"""Where models come from and samplers go to.

Pipelines that were saved with our scheduler look for it here."""


def __getattr__(name):
    if name in ('USFScheduler', 'SchedulerMixin', 'SOLVERS'):
        from . import scheduler
        return getattr(scheduler, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
