"""Kernels that start with the heavy libraries imported.

To import torch, pandas and seaborn takes longer than most notebooks do. One process, the fork
server of `multiprocessing`, imports them once; every kernel is a fork of it. Nothing of this
package is imported before the fork, so a notebook still shows what its own imports do."""
import gc
import multiprocessing
import os
import sys
from importlib.metadata import EntryPoint

from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

# Imported once. None of these starts a thread (with OMP_NUM_THREADS=1) or moves torch's seed.
# `torch._dynamo` is what torch itself imports for the first optimiser or gradient.
HEAVY = ['torch', 'torch.export', 'torch._dynamo', 'pandas', 'scipy.stats', 'sklearn.linear_model',
    'seaborn', 'matplotlib.pyplot', 'xgboost', 'ipykernel.kernelapp', 'nbdev.showdoc',
    'fastcore.test']
FORKS = multiprocessing.get_context('forkserver')


def serve(connection_file, folder, environment):
    "What the fork does: become a kernel, in a process group of its own."
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.dont_write_bytecode = bool(environment.get('PYTHONDONTWRITEBYTECODE'))
    gc.freeze()                       # what was imported before the fork is looked at by no collector
    if 'pandas' in sys.modules:
        sys.modules['pandas'].options.display.max_columns = 20    # what it sets itself in a kernel
    from ipykernel.kernelapp import IPKernelApp
    IPKernelApp.launch_instance([
        '-f', connection_file,
        '--HistoryManager.hist_file=:memory:',
        f'--IPKernelApp.parent_handle={os.getppid()}',    # it ends with the fork server
    ])


class Forked:
    "A process of `multiprocessing` with the names of `subprocess.Popen`."
    stdin = stdout = stderr = None

    def __init__(self, process):
        self.process, self.pid = process, process.pid

    def poll(self):
        return self.process.exitcode

    def wait(self):
        self.process.join()
        return self.process.exitcode

    def send_signal(self, number):
        os.kill(self.pid, number)


class ForkedKernel(LocalProvisioner):
    "Starts kernels as forks."
    async def launch_kernel(self, cmd, **options):
        where = str(options['cwd']), dict(options['env'])
        process = FORKS.Process(target=serve, args=(self.parent.connection_file, *where))
        process.start()
        self.process = Forked(process)
        self.pid = self.pgid = process.pid
        self.cwd = options['cwd']
        return self.connection_info


def fork_kernels():
    "From now on kernels of this process are forks."
    FORKS.set_forkserver_preload(HEAVY)
    factory = KernelProvisionerFactory.instance()
    group = KernelProvisionerFactory.GROUP_NAME
    factory.provisioners['forked'] = EntryPoint('forked', 'forked:ForkedKernel', group)
    factory.default_provisioner_name = 'forked'
