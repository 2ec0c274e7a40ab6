"""Where models come from and samplers go to; pipelines that were saved with our scheduler look for it here."""


def __getattr__(name):
    if name in ('USFScheduler', 'SchedulerMixin', 'SOLVERS'):
        from . import diffusers
        return getattr(diffusers, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
