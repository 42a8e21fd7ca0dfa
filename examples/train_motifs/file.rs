//! The network as a file: half-precision tensors and what else one must know.

use crate::net::{Head, Layer, Net};
use crate::norm::Stats;
use candle_core::{DType, Device, Result, Tensor, Var};
use half::f16;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

impl Net {
    /// All tensors by name, in the order of the network.
    fn tensors(&self) -> Result<Vec<(String, Tensor)>> {
        let mut all = Vec::new();
        for (i, layer) in self.layers.iter().enumerate() {
            let stats = layer.stats.lock().expect("no panics");
            let vector = |values: &[f32]| Tensor::new(values, &Device::Cpu);
            all.push((format!("conv{}.weight", i + 1), layer.weight.as_tensor().clone()));
            all.push((format!("bn{}.weight", i + 1), layer.scale.as_tensor().clone()));
            all.push((format!("bn{}.bias", i + 1), layer.shift.as_tensor().clone()));
            all.push((format!("bn{}.running_mean", i + 1), vector(&stats.mean)?));
            all.push((format!("bn{}.running_var", i + 1), vector(&stats.var)?));
        }
        all.push(("head.weight".into(), self.head_weight.as_tensor().clone()));
        all.push(("head.bias".into(), self.head_bias.as_tensor().clone()));
        Ok(all)
    }

    /// Rounds every number to half precision, so that what is tested is what is saved.
    pub fn round(self) -> Result<Self> {
        let half = |var: &Var| Var::from_tensor(&var.as_tensor().to_dtype(DType::F16)?.to_dtype(DType::F32)?);
        let halves = |v: &[f32]| v.iter().map(|v| f16::from_f32(*v).to_f32()).collect();
        let round = |layer: Layer| {
            let stats = layer.stats.lock().expect("no panics");
            Ok(Layer {
                weight: half(&layer.weight)?,
                scale: half(&layer.scale)?,
                shift: half(&layer.shift)?,
                stats: Mutex::new(Stats { mean: halves(&stats.mean), var: halves(&stats.var) }),
                stride: layer.stride,
            })
        };
        Ok(Self {
            head_weight: half(&self.head_weight)?,
            head_bias: half(&self.head_bias)?,
            head: self.head,
            layers: self.layers.into_iter().map(round).collect::<Result<_>>()?,
        })
    }

    /// Writes the network; the hash of its tensors joins what is known about it.
    pub fn save(&self, path: &Path, mut about: HashMap<String, String>) -> crate::Outcome<String> {
        let mut parts = Vec::new();
        let mut hash = Sha256::new();
        for (name, tensor) in self.tensors()? {
            let values = tensor.flatten_all()?.to_vec1::<f32>()?;
            let bytes: Vec<u8> = values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect();
            hash.update(&bytes);
            parts.push((name, tensor.dims().to_vec(), bytes));
        }
        let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        about.insert("hash".into(), hash.clone());
        let head = if self.head == Head::Lse { "logsumexp" } else { "mean" };
        about.insert("head".into(), head.into());
        let views = parts
            .iter()
            .map(|(name, dims, bytes)| Ok((name, TensorView::new(Dtype::F16, dims.clone(), bytes)?)))
            .collect::<crate::Outcome<Vec<_>>>()?;
        fs::write(path, serialize(views, Some(about))?)?;
        Ok(hash)
    }

    /// Reads a network.
    pub fn load(path: &Path) -> crate::Outcome<Self> {
        let bytes = fs::read(path)?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes)?;
        let about = metadata.metadata().clone().unwrap_or_default();
        let tensors = SafeTensors::deserialize(&bytes)?;
        let values = |name: &str| -> crate::Outcome<(Vec<f32>, Vec<usize>)> {
            let view = tensors.tensor(name)?;
            let halves = view.data().chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]));
            Ok((halves.map(f16::to_f32).collect(), view.shape().to_vec()))
        };
        let var = |name: &str| -> crate::Outcome<Var> {
            let (values, dims) = values(name)?;
            Ok(Var::from_tensor(&Tensor::from_vec(values, dims, &Device::Cpu)?)?)
        };
        let layer = |(i, stride): (usize, usize)| -> crate::Outcome<Layer> {
            Ok(Layer {
                weight: var(&format!("conv{}.weight", i + 1))?,
                scale: var(&format!("bn{}.weight", i + 1))?,
                shift: var(&format!("bn{}.bias", i + 1))?,
                stats: Mutex::new(Stats {
                    mean: values(&format!("bn{}.running_mean", i + 1))?.0,
                    var: values(&format!("bn{}.running_var", i + 1))?.0,
                }),
                stride,
            })
        };
        Ok(Self {
            layers: crate::net::strides().enumerate().map(layer).collect::<crate::Outcome<_>>()?,
            head_weight: var("head.weight")?,
            head_bias: var("head.bias")?,
            head: if about.get("head").is_some_and(|h| h == "mean") { Head::Mean } else { Head::Lse },
        })
    }
}
