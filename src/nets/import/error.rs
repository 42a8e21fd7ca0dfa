//! What can be wrong with a file of weights.

use std::fmt;

/// Why a file of weights can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It can't be read at all.
    #[error("the weights can't be read: {0}")]
    Io(#[from] std::io::Error),
    /// It begins like no format that is known.
    #[error("the file is neither safetensors nor a `.pth` that `torch.save` wrote")]
    Unknown,
    /// A `.pth` from before torch 1.6, a bare pickle.
    #[error("the file is a `.pth` in torch's old format, which is not a zip archive")]
    Legacy,
    /// A `.pth` that holds code, a TorchScript program.
    #[error("the file is a TorchScript program, not weights")]
    Script,
    /// It ends too early.
    #[error("the file is cut off: it should go on for {missing} bytes")]
    Truncated {
        /// How many bytes are not there.
        missing: u64,
    },
    /// It contradicts itself.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// Numbers in a format other than f32, f16 and bf16.
    #[error("`{tensor}` holds {dtype} numbers; f32, f16 and bf16 are read")]
    Numbers {
        /// The tensor.
        tensor: String,
        /// Its type, in the file's own words.
        dtype: String,
    },
    /// Tensors that are missing, extra or of another shape.
    #[error("the weights don't fit {architecture}: {}", list(faults))]
    Unfit {
        /// The architecture.
        architecture: String,
        /// Everything that does not fit.
        faults: Vec<Fault>,
    },
    /// NaN or infinity among the numbers.
    #[error("not all numbers are finite in {}", list(.0.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().as_slice()))]
    NotFinite(Vec<String>),
    /// A node to be read that the network does not have.
    #[error("the network has no node `{0}`")]
    Node(String),
    /// A network for other pictures than ours.
    #[error("the network takes {0} channels, and a picture has 3, or 1 as gray")]
    Channels(usize),
    /// Metadata that can't be understood.
    #[error("the metadata `{key}` of the weights is wrong: {problem}")]
    Metadata {
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
    },
}

impl ImportError {
    /// What a person can do about it.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Legacy => {
                "load it in Python and save it anew: `torch.save(torch.load(\"old.pth\"), \"new.pth\")`".into()
            }
            Self::Script => "save the weights alone: `torch.save(model.state_dict(), \"weights.pth\")`".into(),
            Self::Truncated { .. } => "fetch or copy the file again".into(),
            Self::Numbers { .. } => "save the weights as f32: `model.float().state_dict()`".into(),
            Self::Channels(_) => {
                "give it a first layer of 3 channels, or of 1: in PyTorch, of its weights (`conv1.weight` in a ResNet) keep \
                 `w[:, :3]` or `w.sum(1, keepdim=True)`"
                    .into()
            }
            Self::Unfit { .. } => "name the architecture that the weights were trained for".into(),
            _ => return None,
        })
    }
}

/// One tensor that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The network needs it, the file lacks it.
    Missing {
        /// The tensor that is needed.
        name: String,
        /// A tensor that only the file has, of a name like it.
        near: Option<String>,
    },
    /// The file has it, the network does not know it.
    Extra {
        /// The tensor in the file.
        name: String,
    },
    /// Both have it, in different shapes.
    Shape {
        /// The tensor.
        name: String,
        /// The shape that the network needs.
        needed: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Missing { name, near: None } => write!(f, "`{name}` is missing"),
            Fault::Missing { name, near: Some(near) } => write!(f, "`{name}` is missing (the file has `{near}`)"),
            Fault::Extra { name } => write!(f, "`{name}` is not part of it"),
            Fault::Shape { name, needed, found } => {
                write!(f, "`{name}` is {}, not {}", dimensions(found), dimensions(needed))
            }
        }
    }
}

fn dimensions(shape: &[usize]) -> String {
    match shape {
        [] => "a single number".into(),
        _ => shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x"),
    }
}

/// So many are named: of a file for quite another network, no tensor fits.
const MOST: usize = 5;

/// The first of them, one after another, and how many there are besides.
fn list<T: ToString>(things: &[T]) -> String {
    let named = things.iter().take(MOST).map(T::to_string).collect::<Vec<_>>().join(", ");
    match things.len().saturating_sub(MOST) {
        0 => named,
        more => format!("{named}, and {more} more"),
    }
}
