"""The other side of benches/vs_pytorch.sh, and the table."""

import json, os, platform, statistics, subprocess, sys, tempfile, time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Nothing is taken from an earlier run.
os.environ["FVIZ_CACHE_SIZE"] = "0"
BINARY = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "fviz"
THREADS = int(os.environ.get("THREADS", "2"))
WEIGHTS = next(Path(os.environ["FVIZ_MODELS"]).glob("resnet18*"))

TRANSFORMS = """transform {
  color_jitter(brightness = 0.98..1.02, contrast = 0.99..1.01, saturation = 0.98..1.02, hue = ±0.01)
  affine(rotate = ±15deg, scale = 0.96..1.04, fill = 0.5, sample = nearest)
}
regularize l2(0.05, around = 0.5)
blur gaussian(size = 5, sigma = 1.5) every 10 steps
"""


def recipe(transforms=True, size=299, classes="8", steps=40, renders="", low_memory=False):
    model = "resnet18(input = raw, low_memory = on)" if low_memory else "resnet18(input = raw)"
    return (
        f"fviz 1\nmodel {model}\ncanvas {size}x{size}\ninit gray(0.5, noise = 0.005)\n"
        f"maximize class({classes})\n{TRANSFORMS if transforms else ''}optimize sgd(lr = 1.5) for {steps} steps\n{renders}"
    )


def fviz_step(text, vectors=None):
    """Median milliseconds of a step: of the times between the steps' events."""
    environment = {**os.environ, **({"FVIZ_VECTORS": vectors} if vectors else {})}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.fviz").write_text(text)
        command = [BINARY, "run", "a.fviz", "--json", "--threads", str(THREADS)]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE)
        times = [time.perf_counter() for line in process.stdout if json.loads(line)["event"] == "step"]
        if process.wait() != 0:
            sys.exit("fviz failed")
    steps = [after - before for before, after in zip(times, times[1:])][3:]
    return 1e3 * statistics.median(steps)


def peer(mode, avx2=False):
    environment = dict(os.environ)
    if avx2:
        environment |= {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
    command = [sys.executable, __file__, "peer", mode]
    return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def network(frozen):
    import torch, torchvision
    from safetensors.torch import load_file

    torch.set_num_threads(THREADS)
    torch.manual_seed(7)
    model = torchvision.models.resnet18()
    load = load_file if WEIGHTS.suffix == ".safetensors" else lambda path: torch.load(path, map_location="cpu")
    model.load_state_dict({name: x.float() for name, x in load(WEIGHTS).items()}, strict=False)
    model.eval()
    if frozen:
        model.requires_grad_(False)
        model = model.to(memory_format=torch.channels_last)
    return torch, model


def guide_transforms():
    from torchvision import transforms as t

    jitter = t.ColorJitter((0.98, 1.02), (0.99, 1.01), (0.98, 1.02), (-0.01, 0.01))
    return t.Compose([jitter, t.RandomAffine(degrees=15, scale=(0.96, 1.04), fill=0.5)])


def peer_step(mode):
    """`guide`, or `frozen` or `bf16` (frozen weights, channels last), `-plain` without transforms and penalties."""
    torch, model = network(frozen=not mode.startswith("guide"))
    change = None if mode.endswith("plain") else guide_transforms()
    blur = __import__("torchvision").transforms.functional.gaussian_blur
    picture = 0.5 + 0.005 * torch.randn(1, 3, 299, 299)
    if not mode.startswith("guide"):
        picture = picture.to(memory_format=torch.channels_last)
    picture.requires_grad_(True)
    optimizer = torch.optim.SGD([picture], lr=1.5)
    times = []
    for step in range(40):
        began = time.perf_counter()
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=mode.startswith("bf16")):
            loss = -model(change(picture) if change else picture)[0, 8].float()
        if change:
            loss = loss + 0.05 * ((picture - 0.5) ** 2).sum()
        loss.backward()
        optimizer.step()
        if change and step % 10 == 0:
            with torch.no_grad():
                picture.copy_(blur(picture, 5, 1.5))
        times.append(time.perf_counter() - began)
    print(1e3 * statistics.median(times[3:]))


def peer_guide():
    """The guide's script: 200 steps, a frame every 10, a GIF."""
    from PIL import Image

    torch, model = network(frozen=False)
    change, blur = guide_transforms(), __import__("torchvision").transforms.functional.gaussian_blur
    picture = (0.5 + 0.005 * torch.randn(1, 3, 299, 299)).requires_grad_(True)
    optimizer, frames = torch.optim.SGD([picture], lr=1.5), []
    for step in range(200):
        optimizer.zero_grad()
        loss = -model(change(picture))[0, 8] + 0.05 * ((picture - 0.5) ** 2).sum()
        loss.backward()
        optimizer.step()
        if step % 10 == 0:
            picture.data = blur(picture.data, 5, 1.5)
            shown = (picture.detach()[0].permute(1, 2, 0).clamp(0, 1) * 255).byte().numpy()
            frames.append(Image.fromarray(shown))
    with tempfile.NamedTemporaryFile(suffix=".gif") as file:
        frames[0].save(file, save_all=True, append_images=frames[1:], duration=83, loop=0)


def seconds(command, text=None):
    with tempfile.TemporaryDirectory() as folder:
        if text:
            Path(folder, "a.fviz").write_text(text)
        began = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return time.perf_counter() - began


GIF = 'render "a.gif" every 10 steps at 12 fps\nrender "a.png"\n'
RUN = [BINARY, "run", "a.fviz", "--quiet", "--threads", str(THREADS)]


def machine():
    names = [line for line in open("/proc/cpuinfo") if line.startswith("model name")] if Path("/proc/cpuinfo").exists() else []
    flags = Path("/proc/cpuinfo").read_text() if names else ""
    vectors = [name for flag, name in [("avx512f", "AVX-512"), ("amx_bf16", "AMX")] if flag in flags]
    name = names[0].split(":")[1].strip() if names else platform.processor()
    torch = __import__("torch").__version__
    return f"{name}, {os.cpu_count()} cores, {', '.join(vectors) or 'no AVX-512'}, {platform.system()}; {THREADS} threads; torch {torch}"


def compare(rounds):
    # What it is, one measurement of fviz, one of its peer.
    pairs = [
        ("a step with the guide's transforms, against frozen channels-last f32", lambda: fviz_step(recipe()), lambda: peer("frozen")),
        ("the same without transforms", lambda: fviz_step(recipe(False)), lambda: peer("frozen-plain")),
        ("both held to AVX2, with transforms", lambda: fviz_step(recipe(), "avx2"), lambda: peer("frozen", True)),
        ("both held to AVX2, without", lambda: fviz_step(recipe(False), "avx2"), lambda: peer("frozen-plain", True)),
        ("f32 against bf16 autocast, with transforms", lambda: fviz_step(recipe()), lambda: peer("bf16")),
        ("f32 against bf16 autocast, without", lambda: fviz_step(recipe(False)), lambda: peer("bf16-plain")),
        ("against the guide's own code, with transforms", lambda: fviz_step(recipe()), lambda: peer("guide")),
    ]
    lines = ["| what | fviz | PyTorch | ratio |", "| --- | --- | --- | --- |"]

    def tell(line):
        lines.append(line)
        print(line, flush=True)

    print("\n".join(lines))
    for name, ours, theirs in pairs:
        measured = [(ours(), theirs()) for _ in range(rounds)]
        a, b = (statistics.median(column) for column in zip(*measured))
        ratio = statistics.median(a / b for a, b in measured)
        tell(f"| {name} | {a:.1f} ms | {b:.1f} ms | {ratio:.2f} |")
    whole = recipe(steps=200, renders=GIF)
    measured = [(seconds(RUN, whole), seconds([sys.executable, __file__, "guide"])) for _ in range(rounds)]
    a, b = (statistics.median(column) for column in zip(*measured))
    ratio = statistics.median(a / b for a, b in measured)
    tell(f"| 200 steps from a cold process to the GIF, against the guide's script | {a:.1f} s | {b:.1f} s | {ratio:.2f} ({1 / ratio:.1f}x faster) |")

    grown = ["", "| pixels a side | a step | of the line through the first |", "| --- | --- | --- |"]
    first = None
    for size in [150, 299, 600, 1024]:
        took = statistics.median(fviz_step(recipe(False, size, steps=16)) for _ in range(rounds))
        first = first or took / size**2
        grown.append(f"| {size} | {took:.1f} ms | {took / size**2 / first:.2f} |")
    grown += ["", "| variants | a step | of the line through the first |", "| --- | --- | --- |"]
    first = None
    for count in [1, 2, 4, 8]:
        classes = "each [8, 144, 288, 587, 605, 800, 964, 983]" if count == 8 else f"each {[8, 144, 288, 587][:count]}"
        took = statistics.median(fviz_step(recipe(False, classes=classes, steps=16)) for _ in range(rounds))
        first = first or took
        grown.append(f"| {count} | {took:.1f} ms | {took / count / first:.2f} |")
    shown = ["", "| files and progress | a step |", "| --- | --- |"]
    shown.append(f"| none | {fviz_step(recipe()):.1f} ms |")
    shown.append(f"| a GIF of every step and a PNG | {fviz_step(recipe(renders=GIF.replace('every 10 steps', 'every 1 steps'))):.1f} ms |")
    print("\n".join(grown + shown))
    return lines + grown + shown


def write(lines):
    page = ROOT / "docs" / "performance.md"
    begin, end = "<!-- measured -->\n", "<!-- /measured -->\n"
    before, rest = page.read_text().split(begin)
    after = rest.split(end)[1]
    page.write_text(before + begin + machine() + ".\n\n" + "\n".join(lines) + "\n" + end + after)


if __name__ == "__main__":
    verb, rest = sys.argv[1], sys.argv[2:]
    if verb == "peer":
        peer_step(rest[0])
    elif verb == "guide":
        peer_guide()
    else:
        numbers = [int(word) for word in rest if word.isdigit()]
        table = compare(numbers[0] if numbers else 3)
        if "--write" in rest:
            write(table)
