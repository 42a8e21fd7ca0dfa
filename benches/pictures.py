#!/usr/bin/env python3
"""How much other networks believe a recipe's pictures: the figures of docs/pictures.md.

    FVIZ_MODELS=DIR benches/pictures.py                         # std/best on the guide's eight classes
    FVIZ_MODELS=DIR benches/pictures.py --classes fresh         # on 24 others, which no part of it was chosen on
    FVIZ_MODELS=DIR benches/pictures.py --recipe a.fviz --judges resnet18
    FVIZ_MODELS=DIR benches/pictures.py --ablation              # one part of std/best taken away at a time
    FVIZ_MODELS=DIR benches/pictures.py --torch                 # PyTorch judges the same files too

A recipe reads `$target` and has no `seed` and no `render`. Pictures go to --out, one for each class and seed, and are
judged by `fviz judge`. Needs `cargo build --release` first; --torch needs torch, torchvision, pillow, safetensors.
"""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys

HOME = pathlib.Path(__file__).resolve().parent.parent
EIGHT = [8, 144, 288, 587, 605, 800, 964, 983]
FRESH = [105, 121, 228, 327, 430, 502, 514, 524, 560, 569, 586, 615, 636, 662, 748, 769, 786, 795, 802, 862, 879, 905, 916, 974]
WIDE = "affine(rotate = ±25deg, scale = 0.5..1.4 log_uniform, shift_x = ±30px, shift_y = ±30px, fill = 0.5)"
NARROW = "affine(rotate = ±15deg, scale = 0.85..1.2, shift_x = ±12px, shift_y = ±12px, fill = 0.5)"
COLORS = "color_matrix(brightness = 80%..120%, contrast = 80%..120%, saturation = 60%..140%, hue = ±0.032)"
# What is changed, what it is changed from, and to.
ABLATIONS = [
    ("`std/best`", "", ""),
    ("`residual_gradient = 1`", "residual_gradient = 0.6", "residual_gradient = 1"),
    ("the bare logit instead of the margin", ", as = margin, against = 0.7, temperature = 3", ""),
    ("the mean of the 20 highest others (`top = 20`) instead of the soft maximum", "temperature = 3", "top = 20"),
    ("`decay = 1`", "decay = 1.25", "decay = 1"),
    ("`decay = 1.5` (`std/calm`)", "decay = 1.25", "decay = 1.5"),
    ("`gain = 1`", "gain = 2", "gain = 1"),
    ("`decorrelate = off`", "gain = 2", "gain = 2, decorrelate = off"),
    ("narrow transforms: ±15°, 0.85..1.2, ±12 px", WIDE, NARROW),
    ("factors of size drawn uniformly", " log_uniform", ""),
    ("without the flip", "  flip(50%)\n", ""),
    ("without the colour matrix", f"  {COLORS}\n", ""),
    ("learning rate constant after its warm-up", "0.05 -> 0 cosine", "0.05"),
    ("without the warm-up", ", warmup = 10 steps", ""),
    ("`beta2 = 0.999`", "beta2 = 0.99", "beta2 = 0.999"),
]


def render(text, classes, seeds, out, threads):
    """Grows a picture for each class and seed. → their paths, by (class, seed)."""
    out.mkdir(parents=True, exist_ok=True)
    recipe = out / "recipe.fviz"
    each = f"let target = each {classes}\nlet number = each {seeds}\nseed $number\nrender \"{{target}}-{{number}}.png\"\n"
    recipe.write_text(text + each)
    program = HOME / os.environ.get("CARGO_TARGET_DIR", "target") / "release/fviz"
    subprocess.run([program, "run", recipe, "--quiet", "-o", out, "--threads", str(threads)], check=True)
    return {(c, s): out / f"{c}-{s}.png" for c in classes for s in seeds}


def judged(pictures, judges):
    """→ for each judge (probability, rank) by (class, seed), from `fviz judge`."""
    program = HOME / os.environ.get("CARGO_TARGET_DIR", "target") / "release/fviz"
    found = {judge: {} for judge in judges}
    for (c, seed), path in pictures.items():
        models = [word for judge in judges for word in ("--model", judge)]
        told = subprocess.run([program, "judge", path, "--class", str(c), *models], check=True, capture_output=True, text=True)
        lines = re.findall(r"^([\d.]+) +rank (\d+)", told.stdout, re.MULTILINE)
        assert len(lines) == len(judges), told.stdout
        for judge, (probability, rank) in zip(judges, lines):
            found[judge][c, seed] = (float(probability), int(rank))
    return found


def judged_by_torch(pictures, judges):
    """The same from PyTorch, from the definition: four sizes, both mirror images, the mean of the probabilities."""
    import numpy
    import torch
    import torchvision
    from PIL import Image
    from safetensors.torch import load_file

    own = (torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225]))
    found = {}
    for judge in judges:
        weights = pathlib.Path(os.environ["FVIZ_MODELS"]) / f"{judge}.safetensors"
        network = getattr(torchvision.models, judge)()
        network.load_state_dict(load_file(weights), strict=False)
        network.eval()
        # timm's weights of MobileNetV2 were trained on -1..1.
        half = judge == "mobilenet_v2"
        mean, std = [torch.full((3,), 0.5)] * 2 if half else own
        found[judge] = {}
        for (c, seed), path in pictures.items():
            x = torch.from_numpy(numpy.asarray(Image.open(path).convert("RGB"))).permute(2, 0, 1)[None].float() / 255
            rows = []
            with torch.no_grad():
                for size in (192, 224, 256, 288):
                    seen = torch.nn.functional.interpolate(x, (size, size), mode="bilinear", antialias=True)
                    seen = (seen - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
                    rows += [network(view).softmax(1)[0] for view in (seen, seen.flip(3))]
            p = torch.stack(rows).mean(0)
            found[judge][c, seed] = (p[c].item(), int((p > p[c]).sum()) + 1)
    return found


def row(name, found, seeds):
    """A line of a table: for each judge the mean, the least and greatest mean of a seed, and how many are first."""
    cells = []
    for verdicts in found.values():
        by_seed = [statistics.mean(p for (_, s), (p, _) in verdicts.items() if s == seed) for seed in seeds]
        mean = statistics.mean(p for p, _ in verdicts.values())
        cells.append(f"{mean:.3f} ({min(by_seed):.3f} to {max(by_seed):.3f})")
    firsts = " and ".join(str(sum(rank == 1 for _, rank in verdicts.values())) for verdicts in found.values())
    return f"| {name} | {' | '.join(cells)} | {firsts} of {len(next(iter(found.values())))} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", type=pathlib.Path, default=HOME / "recipes/std/best@1.fviz")
    parser.add_argument("--classes", default="guide", help="guide, fresh, or numbers: 8,144")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--judges", default="mobilenet_v2,squeezenet1_1")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("target/pictures"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--ablation", action="store_true")
    parser.add_argument("--torch", action="store_true")
    args = parser.parse_args()
    classes = {"guide": EIGHT, "fresh": FRESH}.get(args.classes) or [int(c) for c in args.classes.split(",")]
    seeds, judges = [int(s) for s in args.seeds.split(",")], args.judges.split(",")
    text = args.recipe.read_text()

    print(f"| recipe | {' | '.join(judges)} | first |\n| --- |{' --- |' * (len(judges) + 1)}")
    for number, (name, old, new) in enumerate(ABLATIONS if args.ablation else [(args.recipe.stem, "", "")]):
        if old not in text:
            sys.exit(f"the recipe has no `{old}`")
        out = args.out.resolve() / (f"ablation-{number}" if args.ablation else args.recipe.stem)
        pictures = render(text.replace(old, new) if old else text, classes, seeds, out, args.threads)
        found = judged(pictures, judges)
        print(row(name, found, seeds), flush=True)
        if args.torch:
            torch = judged_by_torch(pictures, judges)
            worst = max(abs(torch[j][k][0] - found[j][k][0]) for j in judges for k in pictures)
            ranks = sum(torch[j][k][1] != found[j][k][1] for j in judges for k in pictures)
            print(f"PyTorch: {len(pictures)} pictures, worst difference {worst:.4f}, ranks that differ {ranks}")
        if not args.ablation:
            print("\n| class | " + " | ".join(judges) + " |\n| --- |" + " --- |" * len(judges))
            for c in classes:
                of = [[found[judge][c, seed][0] for seed in seeds] for judge in judges]
                cells = [f"{statistics.mean(ps):.2f} ({min(ps):.2f} to {max(ps):.2f})" for ps in of]
                print(f"| {c} | {' | '.join(cells)} |")


main()
