__version__ = "0.1.0"
"""Everything that a user needs, loaded when it is first asked for.

For example `from usf_nbdev import search, load_model`."""
from importlib import import_module

FACE = {
    'core': 'SolverSchedule StepStrategy',
    'sampling.noise': 'VPLinear VPCosine VPDiscrete EDM Flow discrete timesteps',
    'sampling.weights': 'compile_plan',
    'sampling.sample': 'Denoiser sample start_noise',
    'sampling.solvers': 'ddim dpm_solver dpm_solver_pp unipc deis heun dpm_solver_v3 known_solvers',
    'sampling.ems': 'EMS estimate_ems',
    'judging.frechet': 'frechet_distance FrechetMetric',
    'judging.teacher': 'self_metric',
    'zoo.models': 'load_model',
    'searching.proposers': 'SearchConfig',
    'searching.search': 'search',
    'searching.polish': 'polish',
    'hosts.diffusers': 'from_diffusers',
    'hosts.front': 'Front',
    'hosts.scheduler': 'USFScheduler',
    'hosts.guidance': 'guidance_callback',
    'hosts.pipelines': 'load_pipeline',
}
_MODULE_OF = {name: module for module, names in FACE.items() for name in names.split()}
__all__ = list(_MODULE_OF)
# how a value shows itself in a notebook, for modules that stand below `showing`
_MODULE_OF['dashboard'] = 'showing.report'


def __getattr__(name):
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f'.{_MODULE_OF[name]}', __name__), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted([*globals(), *_MODULE_OF])
