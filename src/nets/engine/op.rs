//! The engine as an operation of candle's graph.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};

use super::{Engine, Redo, Shaped, Values};
use crate::ops::filled::zeros;

/// One use of an engine: what the way forward left behind waits here for the way back.
#[derive(Clone)]
pub(super) struct Segment(Arc<Inner>);

struct Inner {
    engine: Arc<Engine>,
    shaped: Arc<Shaped>,
    redo: Option<Redo>,
    values: Mutex<Vec<Values>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        let values = std::mem::take(self.values.get_mut().unwrap_or_else(PoisonError::into_inner));
        self.shaped.values.give(values);
    }
}

impl Segment {
    pub fn new(engine: Arc<Engine>, shaped: Arc<Shaped>, redo: Option<Redo>) -> Self {
        Self(Arc::new(Inner { engine, shaped, redo, values: Mutex::default() }))
    }
}

/// The numbers of a contiguous tensor.
fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (layout.contiguous_offsets(), storage.as_slice::<f32>()) {
        (Some((start, end)), Ok(all)) => Ok(&all[start..end]),
        (None, _) => bail!("a contiguous tensor is needed here"),
        (_, Err(error)) => Err(error),
    }
}

impl CustomOp1 for Segment {
    fn name(&self) -> &'static str {
        "network"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let Inner { engine, shaped, values, .. } = &*self.0;
        let (images, channels, height, width) = layout.shape().dims4()?;
        if channels != shaped.grids[0].channels {
            bail!("a network of {} channels got {channels}", shaped.grids[0].channels);
        }
        let pictures = numbers(storage, layout)?;
        let mut outputs = vec![0.0; images * shaped.length];
        let mut kept = Vec::with_capacity(images);
        let area = channels * height * width;
        for (image, outputs) in pictures.chunks_exact(area.max(1)).zip(outputs.chunks_exact_mut(shaped.length.max(1))) {
            let mut values = shaped.values.take(|| shaped.new_values(engine));
            shaped.forward(engine, &mut values, image, outputs);
            kept.push(values);
        }
        let before = std::mem::replace(&mut *values.lock().unwrap_or_else(PoisonError::into_inner), kept);
        shaped.values.give(before);
        Ok((CpuStorage::F32(outputs), (images, shaped.length).into()))
    }

    fn bwd(&self, pictures: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let back = Backward { of: self.clone(), dead: Mutex::default() };
        let result = pictures.apply_op2_no_bwd(&gradient.contiguous()?, &back)?;
        let dead = back.dead.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Some(redo) = self.0.redo.as_ref().filter(|_| !dead.is_empty()) else { return Ok(Some(result)) };
        let row = |image: usize| {
            if dead.contains(&image) {
                redo(&pictures.narrow(0, image, 1)?.detach(), &gradient.narrow(0, image, 1)?)
            } else {
                result.narrow(0, image, 1)
            }
        };
        let rows = (0..pictures.dim(0)?).map(row).collect::<Result<Vec<_>>>()?;
        Tensor::cat(&rows, 0).map(Some)
    }
}

/// From the outputs' gradient to the pictures'.
struct Backward {
    of: Segment,
    /// Images whose gradient died behind a ReLU; theirs is zero.
    dead: Mutex<Vec<usize>>,
}

impl CustomOp2 for Backward {
    fn name(&self) -> &'static str {
        "network's gradient"
    }

    fn cpu_fwd(
        &self,
        pictures: &CpuStorage,
        layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let Inner { engine, shaped, values, redo } = &*self.of.0;
        let (images, channels, height, width) = layout.shape().dims4()?;
        let (pictures, outputs) = (numbers(pictures, layout)?, numbers(gradient, gradient_layout)?);
        let area = channels * height * width;
        let mut result = zeros(images * area);
        let mut values = values.lock().unwrap_or_else(PoisonError::into_inner);
        if values.len() != images {
            // A second way back: what the first left is as good.
            let mut scratch = vec![0.0; shaped.length];
            for image in pictures.chunks_exact(area.max(1)) {
                let mut one = shaped.values.take(|| shaped.new_values(engine));
                shaped.forward(engine, &mut one, image, &mut scratch);
                values.push(one);
            }
        }
        let mut gradients = shaped.gradients.take(|| shaped.new_gradients(engine));
        let outputs = outputs.chunks_exact(shaped.length.max(1));
        let images = result.chunks_exact_mut(area.max(1)).zip(outputs).zip(values.iter());
        for (index, ((image, outputs), values)) in images.enumerate() {
            if !shaped.backward(engine, values, &mut gradients, outputs, image, redo.is_some()) {
                self.dead.lock().unwrap_or_else(PoisonError::into_inner).push(index);
            }
        }
        shaped.gradients.give([gradients]);
        Ok((CpuStorage::F32(result), layout.shape().clone()))
    }
}
