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
    &model("vgg11", "VGG of 11 layers", VGG_AS, VGG, "model vgg11"),
    &model("vgg11_bn", "VGG of 11 layers with batch norms", VGG_NORMED, VGG, "model vgg11_bn"),
    &model("vgg13", "VGG of 13 layers", VGG_AS, VGG, "model vgg13"),
    &model("vgg13_bn", "VGG of 13 layers with batch norms", VGG_NORMED, VGG, "model vgg13_bn"),
    &model("vgg16", "VGG of 16 layers", VGG_AS, VGG, "model vgg16"),
    &model("vgg16_bn", "VGG of 16 layers with batch norms", VGG_NORMED, VGG, "model vgg16_bn"),
    &model("vgg19", "VGG of 19 layers", VGG_DOC, VGG, "model vgg19"),
    &model("vgg19_bn", "VGG of 19 layers with batch norms", VGG_NORMED, VGG, "model vgg19_bn"),
    &model(
        "alexnet",
        "AlexNet, of five convolutions",
        "Nodes are torchvision's: `features.0` … `features.12`, `avgpool`, `classifier.1`, `classifier.4`, `classifier.6`. Its first convolution sees 11x11 pixels every 4, so pictures show that grid; three quarters of its 61 million weights are in `classifier.1` and `classifier.4`.",
        "Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks; torchvision.models",
        "model alexnet",
    ),
    &model(
        "googlenet",
        "GoogLeNet, the first Inception: lucid's and DeepDream's network",
        "Nodes are torchvision's: `conv1.conv`, `inception3a.branch2.1.relu`, `inception4c.cat` … `fc`; a module (`inception4c`) is its concatenation. Not TensorFlow's weights, which lucid uses, so its channels are others. Where torchvision changes the normalization inside of the network, here it is `mean` and `std`. Files of weights may contain the auxiliary classifiers, which are passed over.",
        "Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich 2014, Going Deeper with Convolutions; torchvision.models",
        "model googlenet",
    ),
    &model(
        "densenet121",
        "DenseNet of 121 layers, each of which sees all before it",
        "Nodes are torchvision's: `features.conv0`, `features.denseblock1.denselayer3.conv2` … `features.norm5`, `classifier`; `features.denseblock3` is the concatenation of a block.",
        "Huang, Liu, van der Maaten, Weinberger 2016, Densely Connected Convolutional Networks; torchvision.models",
        "model densenet121",
    ),
    &model(
        "resnext50_32x4d",
        "ResNeXt of 50 layers: ResNet50 with 32 groups of channels",
        "As `resnet50`, whose 3x3 convolutions are twice as wide and divided into groups that see nothing of each other.",
        "Xie, Girshick, Dollar, Tu, He 2016, Aggregated Residual Transformations for Deep Neural Networks; torchvision.models",
        "model resnext50_32x4d",
    ),
    &model(
        "wide_resnet50_2",
        "Wide ResNet of 50 layers: ResNet50 with twice as wide bottlenecks",
        "As `resnet50`, with twice as many channels in the 3x3 convolutions, and nearly three times the work.",
        "Zagoruyko, Komodakis 2016, Wide Residual Networks; torchvision.models",
        "model wide_resnet50_2",
    ),
];

const RESNET: &str = "He, Zhang, Ren, Sun 2015, Deep Residual Learning for Image Recognition; torchvision.models";
const SQUEEZENET: &str = "Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer 2016, SqueezeNet: AlexNet-level accuracy with 50x fewer parameters; torchvision.models";
const VGG: &str =
    "Simonyan, Zisserman 2014, Very Deep Convolutional Networks for Large-Scale Image Recognition; torchvision.models";
const VGG_DOC: &str = "Nodes are torchvision's: `features.0`, `features.1` … number convolutions, ReLUs and pools in order, then come `avgpool` and `classifier.0` … `classifier.6`. A plain chain without shortcuts: its pictures are whole and clear, also those of style and texture. Ten times the work of ResNet18 and 140 million weights, most of them in `classifier.0`; reading a node of `features` does without those.";
const VGG_AS: &str = "As `vgg19`, with fewer convolutions; `fviz layers` numbers them.";
const VGG_NORMED: &str = "As the one without `_bn`, with a batch norm behind each convolution, so nodes of `features` have other numbers: `fviz layers` lists them.";
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
        "A `.safetensors` file or a `.pth` in torch's zip format, with torchvision's names of tensors. A fine-tuned network may have any number of classes. One whose first layer has a single channel sees the luminance of what `mean` and `std` leave, 0.2989 R + 0.587 G + 0.114 B.",
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
        "What is taken from the channels R, G, B of a picture in 0..1 before the network sees it; for a gray network of one mean, that three times. It has no meaning with `input = raw`.",
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
        "pool_gradient",
        Type::Choice(&["max", "smooth"]),
        Presence::Default("max"),
        "Where the gradient of a max pool goes: to the greatest cell of each window, as it is (`max`), or to all of them, as that of mean(x²) / (0.01 + mean|x|), which stands for the maximum on the way back only (`smooth`: lucid's notebooks on spatial attribution). Networks without max pools don't change.",
    ).alias(&["maxpool_gradient", "max_pool_gradient", "smooth_pools"]),
    Param::new(
        "precision",
        Type::Choice(&["f32", "bf16"]),
        Presence::Default("f32"),
        "What convolutions multiply: `f32`, or `bf16`, to which both sides are rounded; sums and everything else stay f32. For processors with AMX (Intel's Xeons since 2023) under Linux, and an error elsewhere. Much faster and half the memory; a step's gradient is another (to f32's like 0.97 as cosine), pictures are as good. Convolutions in groups, as MobileNet's, stay f32. Intel, Architecture Instruction Set Extensions Programming Reference, TDPBF16PS.",
    ),
    Param::new(
        "low_memory",
        Type::Switch,
        Presence::Default("off"),
        "Does without the weights that are prepared for Winograd's method (Lavin, Gray 2016), which take up to four times the room of a network's own: ResNet18's run takes about 250 MB instead of 340, and a step 1.8 times as long. The same numbers but for rounding, which over many steps grows into another picture of the same kind. Where `precision = bf16`, it changes nothing.",
    ).alias(&["small", "save_memory"]),
];
