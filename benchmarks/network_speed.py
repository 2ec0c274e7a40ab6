"""Seconds a pass of networks of the size of Stable Diffusion 1.5, SDXL and Flux, with random
weights.

    python benchmarks/network_speed.py --device cuda   # minutes, and up to 30 GB of memory
    python benchmarks/network_speed.py --quick         # the same networks made tiny, on a CPU

What a search costs is its passes times this. The networks are those of diffusers with their
published sizes; random weights take as long as trained ones. Each is called with several numbers of
samples, and the fastest of the repeats counts. Rows: rows/network_speed.csv; with `--quick` nothing
is recorded. Needs the extra [diffusers].
"""
import argparse, time
import torch
from common import append
from usf_nbdev.judging.images import import_diffusers

TOKENS = 77    # of a text


def stable_diffusion(tiny):
    "The U-Net of Stable Diffusion 1.5 at 512 x 512: its latents, and what it is told of a text."
    UNet2DConditionModel = import_diffusers().UNet2DConditionModel
    sizes = dict(block_out_channels=(320, 640, 1280, 1280), cross_attention_dim=768)
    if tiny:
        sizes = dict(block_out_channels=(32, 32, 64, 64), cross_attention_dim=16)
    network = UNet2DConditionModel(attention_head_dim=8, **sizes)
    width, side = network.config.cross_attention_dim, 8 if tiny else 64
    return network, (4, side, side), dict(encoder_hidden_states=(TOKENS, width))


def sdxl(tiny):
    "The U-Net of SDXL at 1024 x 1024."
    UNet2DConditionModel = import_diffusers().UNet2DConditionModel
    sizes = dict(
        block_out_channels=(320, 640, 1280),
        transformer_layers_per_block=(1, 2, 10),
        attention_head_dim=(5, 10, 20),
        cross_attention_dim=2048,
        projection_class_embeddings_input_dim=2816,
        addition_time_embed_dim=256,
    )
    if tiny:
        sizes = dict(
            block_out_channels=(32, 64, 64),
            transformer_layers_per_block=(1, 1, 1),
            attention_head_dim=(2, 4, 4),
            cross_attention_dim=16,
            projection_class_embeddings_input_dim=80,
            addition_time_embed_dim=8,
        )
    network = UNet2DConditionModel(
        down_block_types=('DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'),
        up_block_types=('CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'),
        use_linear_projection=True,
        addition_embed_type='text_time',
        **sizes,
    )
    pooled = sizes['projection_class_embeddings_input_dim'] - 6*sizes['addition_time_embed_dim']
    side = 8 if tiny else 128
    shapes = dict(
        encoder_hidden_states=(TOKENS, sizes['cross_attention_dim']),
        text_embeds=(pooled,),
        time_ids=(6,),
    )
    return network, (4, side, side), shapes


def flux(tiny):
    "The transformer of Flux at 1024 x 1024: 4,096 tokens of the picture, 512 of the text."
    FluxTransformer2DModel = import_diffusers().FluxTransformer2DModel
    sizes, tokens = {}, 4096
    if tiny:
        sizes = dict(
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=16,
            pooled_projection_dim=16,
            axes_dims_rope=(4, 4, 8),
        )
        tokens = 64
    network = FluxTransformer2DModel(guidance_embeds=True, **sizes)
    told = network.config
    shapes = dict(
        encoder_hidden_states=(512, told.joint_attention_dim),
        pooled_projections=(told.pooled_projection_dim,),
        guidance=(),
    )
    return network, (tokens, told.in_channels), shapes


NETWORKS = {'Stable Diffusion 1.5': stable_diffusion, 'SDXL': sdxl, 'Flux': flux}
ADDED = ('text_embeds', 'time_ids')    # what SDXL is told besides


def arguments(shapes, samples, like):
    "Random conditions for so many samples."
    told = {name: torch.randn(samples, *shape, **like) for name,shape in shapes.items()}
    added = {name: told.pop(name) for name in ADDED if name in told}
    if added:
        told['added_cond_kwargs'] = added
    if 'pooled_projections' in told:
        told['txt_ids'] = torch.zeros(told['encoder_hidden_states'].shape[1], 3, **like)
    return told


@torch.inference_mode()
def seconds_of_pass(network, shape, shapes, samples, repeats, like):
    "One call with so many samples, over their number, in the fastest of the repeats."
    state, told = torch.randn(samples, *shape, **like), arguments(shapes, samples, like)
    if 'txt_ids' in told:
        told['img_ids'] = torch.zeros(shape[0], 3, **like)
    times = torch.full((samples,), .5, **like)
    sync = torch.cuda.synchronize if like['device'] == 'cuda' else lambda: None
    def timed():
        sync()
        start = time.perf_counter()
        network(state, timestep=times, **told, return_dict=False)
        sync()
        return time.perf_counter()-start
    timed()                              # warms up
    return min(timed() for _ in range(repeats))/samples


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--samples', type=int, nargs='*', default=[1, 4, 16])
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--quick', action='store_true', help='tiny networks; nothing is recorded')
    asked = parser.parse_args()
    like = dict(device=asked.device, dtype=torch.float32 if asked.quick else torch.bfloat16)
    for name,make in NETWORKS.items():
        network, shape, shapes = make(asked.quick)
        network = network.to(**like).eval().requires_grad_(False)
        for samples in asked.samples[:1] if asked.quick else asked.samples:
            seconds = seconds_of_pass(network, shape, shapes, samples, asked.repeats, like)
            row = dict(network=name, samples=samples, seconds=f'{seconds:.5g}', **like)
            print(row, flush=True)
            if not asked.quick:
                append('network_speed', row)
        del network


if __name__ == '__main__':
    main()
