//! ResNet 18, 34, 50, 101 and 152, ResNeXt and Wide ResNet from one description.
//!
//! He et al., "Deep Residual Learning for Image Recognition", 2015, arXiv:1512.03385, as torchvision builds it: in the
//! bottleneck blocks the stride stands on the 3x3 convolution, not on the first 1x1. Xie et al., "Aggregated Residual
//! Transformations for Deep Neural Networks", 2016, arXiv:1611.05431, divide that 3x3 convolution into groups;
//! Zagoruyko, Komodakis, "Wide Residual Networks", 2016, arXiv:1605.07146, give it more channels.

use super::graph::{Graph, NodeId, Op};
use crate::ops::Window;

/// Names and depths of the family.
pub const FAMILY: [(&str, usize); 5] =
    [("resnet18", 18), ("resnet34", 34), ("resnet50", 50), ("resnet101", 101), ("resnet152", 152)];

/// The graph of a ResNet of that depth (any other depth than the family's is taken as 18).
pub fn graph(depth: usize, input_channels: usize, classes: usize) -> Graph {
    variant(depth, Middle { groups: 1, width: 64 }, input_channels, classes)
}

/// The 3x3 convolution of the first stage's bottlenecks; every stage has twice as many channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Middle {
    /// Groups of channels.
    pub groups: usize,
    /// Channels of a group.
    pub width: usize,
}

/// The graph of a ResNet of that depth with other bottlenecks than the usual ones, a group of 64 channels.
pub fn variant(depth: usize, middle: Middle, input_channels: usize, classes: usize) -> Graph {
    let (blocks, bottleneck) = match depth {
        34 => ([3, 4, 6, 3], false),
        50 => ([3, 4, 6, 3], true),
        101 => ([3, 4, 23, 3], true),
        152 => ([3, 8, 36, 3], true),
        _ => ([2, 2, 2, 2], false),
    };
    let mut net = Builder { graph: Graph::new(input_channels), bottleneck, middle };
    let mut x = net.graph.add("conv1", Op::convolution(Window::new(7, 2, 3)), &[0], 64);
    x = net.simple("bn1", Op::NORM, &[x]);
    x = net.simple("relu", Op::RELU, &[x]);
    x = net.simple("maxpool", Op::MaxPool(Window::new(3, 2, 1)), &[x]);
    for (stage, count) in blocks.into_iter().enumerate() {
        let width = 64 << stage;
        for block in 0..count {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            x = net.block(&format!("layer{}.{block}", stage + 1), x, width, stride);
        }
    }
    x = net.simple("avgpool", Op::GLOBAL_MEAN, &[x]);
    let channels = net.graph.channels(x);
    x = net.graph.add("flatten", Op::Flatten, &[x], channels);
    net.graph.add("fc", Op::Linear, &[x], classes);
    net.graph
}

struct Builder {
    graph: Graph,
    bottleneck: bool,
    middle: Middle,
}

impl Builder {
    fn simple(&mut self, name: &str, op: Op, inputs: &[NodeId]) -> NodeId {
        self.graph.add(name, op, inputs, 0)
    }

    /// A convolution and its batch norm.
    fn normed(&mut self, names: [&str; 2], input: NodeId, channels: usize, convolution: Op) -> NodeId {
        let x = self.graph.add(names[0], convolution, &[input], channels);
        self.simple(names[1], Op::NORM, &[x])
    }

    fn block(&mut self, path: &str, input: NodeId, width: usize, stride: usize) -> NodeId {
        let name = |part: &str| format!("{path}.{part}");
        let three = Window::new(3, stride, 1);
        // Each convolution of the block; a ReLU follows all but the last.
        let (convolutions, channels) = match self.bottleneck {
            false => {
                let again = Op::convolution(Window::new(3, 1, 1));
                (vec![(width, Op::convolution(three)), (width, again)], width)
            }
            true => {
                let Middle { groups, width: each } = self.middle;
                let (one, inside) = (Op::convolution(Window::new(1, 1, 0)), width * each / 64 * groups);
                (vec![(inside, one), (inside, Op::grouped(three, groups)), (4 * width, one)], 4 * width)
            }
        };
        let mut x = input;
        let last = convolutions.len() - 1;
        for (i, (channels, convolution)) in convolutions.into_iter().enumerate() {
            let (conv, bn) = (name(&format!("conv{}", i + 1)), name(&format!("bn{}", i + 1)));
            x = self.normed([&conv, &bn], x, channels, convolution);
            if i < last {
                x = self.simple(&name(&nth_relu(i)), Op::RELU, &[x]);
            }
        }
        let mut shortcut = input;
        if stride != 1 || self.graph.nodes()[input].channels != channels {
            let names = [name("downsample.0"), name("downsample.1")];
            let convolution = Op::convolution(Window::new(1, stride, 0));
            shortcut = self.normed([&names[0], &names[1]], input, channels, convolution);
        }
        x = self.simple(&name("add"), Op::Add, &[x, shortcut]);
        self.simple(&name(&nth_relu(last)), Op::RELU, &[x])
    }
}

/// A module that is used again gets a number: `relu`, `relu_1`, `relu_2`.
fn nth_relu(n: usize) -> String {
    if n == 0 { "relu".into() } else { format!("relu_{n}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(graph: &Graph) -> Vec<&str> {
        graph.nodes().iter().map(|node| node.name.as_str()).collect()
    }

    #[test]
    fn nodes_are_torchvisions_in_its_order() {
        let graph = graph(18, 3, 1000);
        let names = names(&graph);
        assert_eq!(names.len(), 70);
        let start = "x conv1 bn1 relu maxpool layer1.0.conv1 layer1.0.bn1 layer1.0.relu layer1.0.conv2 layer1.0.bn2 \
            layer1.0.add layer1.0.relu_1 layer1.1.conv1";
        assert!(start.split_whitespace().eq(names[..13].iter().copied()));
        let block = "layer2.0.conv1 layer2.0.bn1 layer2.0.relu layer2.0.conv2 layer2.0.bn2 layer2.0.downsample.0 \
            layer2.0.downsample.1 layer2.0.add layer2.0.relu_1";
        assert!(block.split_whitespace().eq(names[19..28].iter().copied()));
        assert_eq!(names[67..], ["avgpool", "flatten", "fc"]);
    }

    #[test]
    fn bottlenecks_are_torchvisions_in_its_order() {
        let graph = graph(50, 3, 1000);
        let names = names(&graph);
        assert_eq!(names.len(), 176);
        let start = "x conv1 bn1 relu maxpool layer1.0.conv1 layer1.0.bn1 layer1.0.relu layer1.0.conv2 layer1.0.bn2 \
            layer1.0.relu_1 layer1.0.conv3 layer1.0.bn3 layer1.0.downsample.0 layer1.0.downsample.1 layer1.0.add \
            layer1.0.relu_2 layer1.1.conv1 layer1.1.bn1 layer1.1.relu layer1.1.conv2 layer1.1.bn2 layer1.1.relu_1";
        assert!(start.split_whitespace().eq(names[..23].iter().copied()));
        let stride = |name: &str| match graph.nodes()[graph.find(name).unwrap()].op {
            Op::Convolution { window, .. } => window.stride,
            _ => 0,
        };
        assert_eq!((stride("layer2.0.conv1"), stride("layer2.0.conv2"), stride("layer2.0.downsample.0")), (1, 2, 2));
    }

    /// Numbers of parameters as torchvision states them, batch norm's running values not counted.
    #[test]
    fn the_family_has_torchvisions_numbers_of_parameters() {
        let counts = [11_689_512, 21_797_672, 25_557_032, 44_549_160, 60_192_808];
        for ((name, depth), count) in FAMILY.into_iter().zip(counts) {
            let parameters = graph(depth, 3, 1000).parameters();
            let trained = parameters.iter().filter(|p| !p.name.contains(".running_"));
            assert_eq!(trained.map(|p| p.shape.iter().product::<usize>()).sum::<usize>(), count, "{name}");
        }
    }
}
