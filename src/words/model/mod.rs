//! Networks, as words. Their graphs are in `nets`.

use crate::spec::{Kind, Param, Presence, Spec, Type, Unit};

/// All networks.
pub static MODELS: &[&Spec] = &[
    &Spec {
        aliases: &["default", "embedded", "builtin", "toy"],
        ..model(
            "motifs",
            "the small network inside the program",
            "A convnet that was trained on drawn motifs (fir, mushroom, melon, eye, rainbow, house …) and lies in the program itself: no download, a picture in seconds. `fviz classes` lists its classes, `fviz layers motifs` its nodes. It was trained against adversarial noise, so its pictures show whole, coloured things.",
            "",
            "model motifs",
        )
    },
    &model(
        "resnet18",
        "ResNet of 18 layers",
        "Nodes are torchvision's: `relu`, `maxpool`, `layer1.0.relu` … `layer4.1.relu_1`, `avgpool`, `fc`; a module's path (`layer3`) is its output. The guide's network.",
        RESNET,
        "model resnet18(input = raw)",
    ),
    &model("resnet34", "ResNet of 34 layers", DEEPER, RESNET, "model resnet34"),
    &model("resnet50", "ResNet of 50 layers, with bottlenecks", BOTTLENECK, RESNET, "model resnet50"),
    &model("resnet101", "ResNet of 101 layers, with bottlenecks", BOTTLENECK, RESNET, "model resnet101"),
    &model("resnet152", "ResNet of 152 layers, with bottlenecks", BOTTLENECK, RESNET, "model resnet152"),
    &model(
        "squeezenet1_0",
        "SqueezeNet 1.0, as good as AlexNet with a fiftieth of its weights",
        "Nodes are torchvision's: `features.0` … `features.12.cat`, `classifier.1`, whose 1000 channels are maps of the classes. A fire module squeezes (`features.3.squeeze`), then expands by 1x1 and 3x3 side by side (`features.3.expand3x3`); `features.3` is both together.",
        SQUEEZENET,
        "model squeezenet1_0",
    ),
    &model(
        "squeezenet1_1",
        "SqueezeNet 1.1, for less than half the work of 1.0",
        "As `squeezenet1_0`, with earlier pools: the fastest of torchvision's networks here.",
        SQUEEZENET,
        "model squeezenet1_1",
    ),
    &model(
        "mobilenet_v2",
        "MobileNetV2, whose blocks convolve each channel by itself",
        "Nodes are torchvision's, `features.0` … `features.18`, `classifier.1`; where a convolution, its batch norm and its ReLU6 are one module there (`features.2.conv.1`), the three can be read too: `features.2.conv.1.0` before the batch norm. `features.3.add` is a block's sum.",
        "Sandler, Howard, Zhu, Zhmoginov, Chen 2018, MobileNetV2: Inverted Residuals and Linear Bottlenecks; torchvision.models",
        "model mobilenet_v2",
    ),
];

const RESNET: &str = "He, Zhang, Ren, Sun 2015, Deep Residual Learning for Image Recognition; torchvision.models";
const SQUEEZENET: &str = "Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer 2016, SqueezeNet: AlexNet-level accuracy with 50x fewer parameters; torchvision.models";
const DEEPER: &str = "As `resnet18`, with more blocks a stage and twice the time a step.";
const BOTTLENECK: &str = "As `resnet18`, with blocks of three convolutions and four times as many channels in `layer1` … `layer4`; its pictures are finer and harder to bring out.";

const fn model(
    name: &'static str,
    summary: &'static str,
    doc: &'static str,
    source: &'static str,
    example: &'static str,
) -> Spec {
    Spec {
        kind: Kind::Model,
        name,
        aliases: &[],
        summary,
        doc,
        source,
        params: PARAMS,
        positional: 0,
        block: false,
        example,
    }
}

/// What every network takes.
static PARAMS: &[Param] = &[
    Param::new(
        "weights",
        Type::File,
        Presence::Optional(
            "the model's own: embedded, or looked for in the folder `FVIZ_MODELS`, in the cache, then downloaded",
        ),
        "A `.safetensors` file or a `.pth` in torch's zip format, with torchvision's names of tensors. A fine-tuned network may have any number of classes.",
    ).alias(&["checkpoint", "file", "path", "pretrained"]),
    Param::new(
        "labels",
        Type::File,
        Presence::Optional("the model's own labels where the number of classes fits, else indices"),
        "A text file with one class a line, in the order of the output; synonyms separated by commas.",
    ).alias(&["classes", "names"]),
    Param::new(
        "mean",
        Type::Numbers(3),
        Presence::Optional("the model's own: [0.485, 0.456, 0.406] for ImageNet"),
        "What is taken from the channels R, G, B of a picture in 0..1 before the network sees it. It has no meaning with `input = raw`.",
    ),
    Param::new(
        "std",
        Type::Numbers(3),
        Presence::Optional("the model's own: [0.229, 0.224, 0.225] for ImageNet"),
        "By what the channels are divided after that.",
    ),
    Param::new(
        "input",
        Type::Choice(&["native", "raw"]),
        Presence::Default("native"),
        "`native` is the preprocessing the network was trained with. `raw` feeds the values 0..1 as they are, which is wrong for most networks and yet the look of the guide's pictures.",
    ),
    Param::new(
        "redirect",
        Type::Switch,
        Presence::Default("on"),
        "Lucid's redirected ReLU for the first 16 iterations: where the gradient of a whole picture dies behind a ReLU, the part of it that pushes up is let through, so that a picture of a silent unit still starts. Only ever acts where the gradient would be zero.",
    ),
    Param::new(
        "residual_gradient",
        Type::Number { unit: Unit::None, min: 0.0, max: 1.0 },
        Presence::Default("1"),
        "On the way back, by what the gradient into the residual branch of each block (its convolutions) is multiplied; the shortcut's stays as it is, and forward nothing changes. At 0.5 to 0.6 more of the gradient comes by short ways, and pictures convince other networks more; 0.3 is clearly worse. Networks without shortcuts don't change. Wu et al. 2020, Skip Connections Matter (ICLR).",
    ).alias(&["skip_gradient", "gamma", "sgm"]),
    Param::new(
        "low_memory",
        Type::Switch,
        Presence::Default("off"),
        "Does without the weights that are prepared for Winograd's method (Lavin, Gray 2016), which take up to four times the room of a network's own: ResNet18's run takes about 250 MB instead of 340, and a step 1.8 times as long. The same numbers but for rounding.",
    ).alias(&["small", "save_memory"]),
];
