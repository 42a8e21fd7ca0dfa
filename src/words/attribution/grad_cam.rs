//! Which places of a layer the objective came from.

use candle_core::{DType, Result, Tensor};

use crate::ops::{Sample, resize};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type};
use crate::words::{Asked, Attribution, Scorer};

pub(super) struct GradCam;

static SPEC: Spec = Spec {
    kind: Kind::Attribution,
    name: "grad_cam",
    aliases: &["gradcam", "cam", "class_activation_map", "layer_grad_cam"],
    summary: "the places of a layer that the objective came from",
    doc: "max(0, Σ_k α_k A_k): the channels A_k of a node, each weighted with the mean α_k of ∂f/∂A_k over its positions, drawn over the photo, bilinear. No sign: places that speak against the objective are dark.\n\nCoarse, but it lies on the thing, not on its edges, and shows what a whole layer made of it: the last layer of ResNet18 has 7x7 positions. Earlier nodes have more and say less.",
    source: "Selvaraju et al. 2017, Grad-CAM (arXiv 1610.02391), equations 1 and 2; Captum LayerGradCam(relu_attributions = True)",
    params: &[Param::new(
        "node",
        Type::Node,
        Presence::Optional("the last node with positions on the way to the objective"),
        "A node of the network, by torchvision's name. It must lie on the way to the objective.",
    )
    .alias(&["layer", "module", "target_layer"])],
    positional: 1,
    block: false,
    example: "attribute class(\"hen\") on image(\"photo.jpg\") as grad_cam(layer4)",
};

impl Attribution for GradCam {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn is_signed(&self) -> bool {
        false
    }

    fn passes(&self, _: &Args, _: (usize, usize)) -> usize {
        1
    }

    fn reads_node(&self) -> bool {
        true
    }

    fn map(&self, asked: &Asked, _: &Args, _: &Moment, scorer: &mut dyn Scorer) -> Result<Tensor> {
        let (activation, gradient) = scorer.at_node(asked.photo, asked.node)?;
        let (_, _, height, width) = asked.photo.dims4()?;
        let cells = cells(&activation, &gradient)?.unsqueeze(0)?.unsqueeze(0)?;
        resize(&cells, height, width, Sample::Bilinear)?.squeeze(0)?.squeeze(0)
    }
}

/// max(0, Σ_k α_k A_k), `[h, w]`.
pub(super) fn cells(activation: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    let (activation, gradient) = (activation.to_dtype(DType::F64)?, gradient.to_dtype(DType::F64)?);
    let weights = gradient.mean_keepdim(3)?.mean_keepdim(2)?;
    activation.broadcast_mul(&weights)?.sum(1)?.relu()?.squeeze(0)
}
