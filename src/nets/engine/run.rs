//! Forward and back over buffers of one size.

use candle_core::{Result, bail};

use super::layers::{Layer, Work};
use super::{Engine, Pool};
use crate::ops::fast::{Finish, Grid, pool, unpool};

/// An engine's buffers for pictures of one size.
#[derive(Debug)]
pub(super) struct Shaped {
    pub height: usize,
    pub width: usize,
    /// For each slot.
    pub grids: Vec<Grid>,
    /// Numbers of all outputs of an image.
    pub length: usize,
    pub values: Pool<Values>,
    pub gradients: Pool<Gradients>,
}

/// What one image's way forward leaves behind.
#[derive(Debug)]
pub(super) struct Values {
    slots: Vec<Vec<f32>>,
    /// For each layer that pools, which cell won.
    winners: Vec<Vec<u8>>,
}

/// Gradients of all slots.
#[derive(Debug)]
pub(super) struct Gradients {
    slots: Vec<Vec<f32>>,
}

/// What has been added to a slot's gradient so far.
#[derive(Clone, Copy, Default)]
struct Progress {
    /// Whether the buffer holds something.
    written: bool,
    /// A slot whose gradient is still to be added as it is.
    owed: Option<usize>,
    /// How many are still to come.
    left: usize,
}

impl Shaped {
    pub fn new(engine: &Engine, height: usize, width: usize) -> Result<Self> {
        let mut grids = vec![Grid { height, width, channels: engine.slots.first().map_or(0, |s| s.channels), pad: 0 }];
        for layer in &engine.layers {
            let from = grids[layer.input];
            let size = |window: crate::ops::Window| match (window.positions(from.height), window.positions(from.width))
            {
                (Some(height), Some(width)) => Ok((height, width)),
                _ => bail!("{}x{} cells are too few for a window of {2}x{2}", from.width, from.height, window.kernel),
            };
            let (mut pad, (height, width)) = match &layer.work {
                Work::Convolution(convolution) => {
                    let (high, wide) = size(convolution.window())?;
                    let before = convolution.pad(from.height, high).max(convolution.pad(from.width, wide));
                    grids[layer.input].pad = from.pad.max(before);
                    let after =
                        convolution.gradient_pad(from.height, high).max(convolution.gradient_pad(from.width, wide));
                    (after, (high, wide))
                }
                Work::MaxPool(window) => (0, size(*window)?),
                Work::Nothing => (0, (from.height, from.width)),
            };
            let channels = engine.slots[layer.output].channels;
            if let Some(more) = layer.more {
                let other = grids[more];
                if (other.height, other.width, other.channels) != (height, width, channels) {
                    bail!("what is added has another shape");
                }
                pad = pad.max(other.pad);
            }
            grids.push(Grid { height, width, channels, pad });
        }
        // Slots that are added to each other, or pass a gradient on as it is, lie alike.
        loop {
            let before = grids.clone();
            for layer in &engine.layers {
                let plain = matches!(layer.work, Work::Nothing).then_some(layer.input);
                for other in [layer.more, plain].into_iter().flatten() {
                    let pad = grids[other].pad.max(grids[layer.output].pad);
                    grids[other].pad = pad;
                    grids[layer.output].pad = pad;
                }
            }
            if before == grids {
                break;
            }
        }
        let length =
            engine.outputs.iter().map(|&(_, slot)| grids[slot].channels * grids[slot].height * grids[slot].width).sum();
        Ok(Self { height, width, grids, length, values: Pool::default(), gradients: Pool::default() })
    }

    fn buffers(&self) -> Vec<Vec<f32>> {
        self.grids.iter().map(|grid| vec![0.0; grid.size()]).collect()
    }

    pub fn new_values(&self, engine: &Engine) -> Values {
        let winners = |layer: &Layer| match layer.work {
            Work::MaxPool(_) => {
                vec![
                    0;
                    self.grids[layer.output].height * self.grids[layer.output].width * self.grids[layer.output].channels
                ]
            }
            _ => Vec::new(),
        };
        Values { slots: self.buffers(), winners: engine.layers.iter().map(winners).collect() }
    }

    pub fn new_gradients(&self) -> Gradients {
        Gradients { slots: self.buffers() }
    }

    /// An image `[C, H, W]` → all outputs, one after another.
    pub fn forward(&self, engine: &Engine, values: &mut Values, image: &[f32], outputs: &mut [f32]) {
        self.grids[0].enter(&mut values.slots[0], image);
        for (layer, winners) in engine.layers.iter().zip(&mut values.winners) {
            let mut to = std::mem::take(&mut values.slots[layer.output]);
            let (from, from_grid, to_grid) =
                (&values.slots[layer.input], self.grids[layer.input], self.grids[layer.output]);
            let finish =
                Finish { more: layer.more.map(|more| &*values.slots[more]), relu: layer.relu, ..Finish::default() };
            match &layer.work {
                Work::Convolution(convolution) => convolution.forward((from, from_grid), (&mut to, to_grid), finish),
                Work::MaxPool(window) => pool(*window, (from, from_grid), (&mut to, to_grid), winners),
                Work::Nothing => finish.all(&mut to, to_grid, from),
            }
            values.slots[layer.output] = to;
        }
        let mut rest = outputs;
        for &(_, slot) in &engine.outputs {
            let grid = self.grids[slot];
            let (to, after) = rest.split_at_mut(grid.channels * grid.height * grid.width);
            grid.leave(&values.slots[slot], to);
            rest = after;
        }
    }

    /// The outputs' gradients → the image's, into `image`. False, and nothing, if `watch` and the gradient of all of
    /// some ReLU's image is zero.
    pub fn backward(
        &self,
        engine: &Engine,
        values: &Values,
        gradients: &mut Gradients,
        outputs: &[f32],
        image: &mut [f32],
        watch: bool,
    ) -> bool {
        let mut back =
            Back { of: self, engine, values, gradients, progress: vec![Progress::default(); engine.slots.len()] };
        for (progress, slot) in back.progress.iter_mut().zip(&engine.slots) {
            progress.left = slot.readers;
        }
        let mut rest = outputs;
        for &(_, slot) in &engine.outputs {
            let grid = self.grids[slot];
            let (from, after) = rest.split_at(grid.channels * grid.height * grid.width);
            grid.enter(&mut back.gradients.slots[slot], from);
            back.progress[slot].written = true;
            back.progress[slot].left -= 1;
            back.mask_alone(slot);
            rest = after;
        }
        for (layer, winners) in engine.layers.iter().zip(&values.winners).rev() {
            if watch && layer.relu && back.gradients.slots[layer.output].iter().all(|&gradient| gradient == 0.0) {
                return false;
            }
            if let Some(more) = layer.more {
                back.pass_on(layer.output, more);
            }
            match &layer.work {
                Work::Nothing => back.pass_on(layer.output, layer.input),
                work => back.through(work, winners, layer.output, layer.input),
            }
        }
        self.grids[0].leave(&back.gradients.slots[0], image);
        true
    }
}

/// On the way back.
struct Back<'a> {
    of: &'a Shaped,
    engine: &'a Engine,
    values: &'a Values,
    gradients: &'a mut Gradients,
    progress: Vec<Progress>,
}

impl Back<'_> {
    /// How the next addition to a slot's gradient is stored, if `gradients` are the other slots'.
    fn finish<'g>(&'g self, slot: usize) -> Finish<'g> {
        let progress = self.progress[slot];
        let masks = progress.left == 1 && self.engine.slots[slot].relu;
        Finish {
            add: progress.written,
            more: progress.owed.map(|owed| &*self.gradients.slots[owed]),
            mask: masks.then(|| &*self.values.slots[slot]),
            ..Finish::default()
        }
    }

    fn added(&mut self, slot: usize) {
        let progress = &mut self.progress[slot];
        *progress = Progress { written: true, owed: None, left: progress.left - 1 };
    }

    /// Adds a slot's gradient to another's as it is; later, if another addition comes that can take it along.
    fn pass_on(&mut self, from: usize, to: usize) {
        let progress = self.progress[to];
        if progress.left > 1 && progress.owed.is_none() && from != to {
            self.progress[to] = Progress { owed: Some(from), left: progress.left - 1, ..progress };
            return;
        }
        let mut buffer = std::mem::take(&mut self.gradients.slots[to]);
        self.finish(to).all(&mut buffer, self.of.grids[to], &self.gradients.slots[from]);
        self.gradients.slots[to] = buffer;
        self.added(to);
    }

    fn through(&mut self, work: &Work, winners: &[u8], from: usize, to: usize) {
        let mut buffer = std::mem::take(&mut self.gradients.slots[to]);
        let source = (&*self.gradients.slots[from], self.of.grids[from]);
        let target = (&mut *buffer, self.of.grids[to]);
        match work {
            Work::Convolution(convolution) => convolution.backward(source, target, self.finish(to)),
            Work::MaxPool(window) => unpool(*window, source, target, winners, self.finish(to)),
            Work::Nothing => {}
        }
        self.gradients.slots[to] = buffer;
        self.added(to);
    }

    /// Masks a gradient that nothing is added to any more.
    fn mask_alone(&mut self, slot: usize) {
        if self.progress[slot].left == 0 && self.engine.slots[slot].relu {
            let mask = &self.values.slots[slot];
            let gradient = self.gradients.slots[slot].iter_mut();
            gradient.zip(mask).for_each(|(gradient, value)| *gradient = if *value <= 0.0 { 0.0 } else { *gradient });
        }
    }
}
