//! Forward and back over buffers of one size.

use candle_core::{Result, bail};

use super::back::Back;
use super::layers::{Layer, Norm, Work};
use super::times::Direction;
use super::{Engine, Pool};
use crate::ops::fast::{self, Buffer, Buffers, Finish, Floats, Grid, Stage, floats, winners_grid};

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
    /// What layers need while they are computed.
    scratch: Pool<Floats>,
    scratch_length: usize,
}

/// What one image's way forward leaves behind.
#[derive(Debug)]
pub(super) struct Values {
    /// Those of each slot, and then for each layer, if it pools, which cells won.
    slots_and_winners: Buffers,
}

/// Gradients of all slots.
#[derive(Debug)]
pub(super) struct Gradients {
    slots: Buffers,
}

impl Shaped {
    pub fn new(engine: &Engine, height: usize, width: usize) -> Result<Self> {
        let mut grids = vec![Grid { height, width, channels: engine.slots.first().map_or(0, |s| s.channels), pad: 0 }];
        for layer in &engine.layers {
            let from = grids[layer.input()];
            let size = |window: crate::ops::Window| match (window.positions(from.height), window.positions(from.width))
            {
                (Some(height), Some(width)) => Ok((height, width)),
                _ => bail!("{}x{} cells are too few for a window of {2}x{2}", from.width, from.height, window.kernel),
            };
            let (mut pad, (height, width)) = match &layer.work {
                Work::Convolution(convolution) => {
                    let (high, wide) = size(convolution.window())?;
                    let before = convolution.pad(from.height, high).max(convolution.pad(from.width, wide));
                    grids[layer.input()].pad = from.pad.max(before);
                    let after =
                        convolution.gradient_pad(from.height, high).max(convolution.gradient_pad(from.width, wide));
                    (after, (high, wide))
                }
                Work::MaxPool(window) | Work::MeanPool(window) => (0, size(*window)?),
                Work::Mean => (0, (1, 1)),
                Work::ScaleShift(_) | Work::Concat(_) | Work::Nothing => (0, (from.height, from.width)),
            };
            let differs = |&input: &usize| (grids[input].height, grids[input].width) != (from.height, from.width);
            if layer.inputs.iter().any(differs) {
                bail!("what is put together differs in size");
            }
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
                let plain = matches!(layer.work, Work::Nothing | Work::ScaleShift(_)).then(|| layer.input());
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
        let length = engine.outputs.iter().map(|output| numbers(grids[output.slot])).sum();
        let scratch = |layer: &Layer| match &layer.work {
            Work::Convolution(convolution) => {
                convolution.scratch(grids[layer.input()], grids[layer.output], layer.pool.is_none())
            }
            _ => 0,
        };
        let scratch_length = engine.layers.iter().map(scratch).max().unwrap_or_default();
        let (values, gradients, scratch) = Default::default();
        Ok(Self { height, width, grids, length, values, gradients, scratch, scratch_length })
    }

    pub fn new_values(&self, engine: &Engine) -> Values {
        let winners = |layer: &Layer| match layer.work {
            Work::MaxPool(_) => winners_grid(self.grids[layer.output]).size(),
            _ => 0,
        };
        let slots = self.grids.iter().map(Grid::size);
        Values { slots_and_winners: Buffers::new(slots.chain(engine.layers.iter().map(winners))) }
    }

    pub fn new_gradients(&self, engine: &Engine) -> Gradients {
        let skipped = |slot| engine.layers.iter().any(|layer| layer.output == slot && layer.pool.is_some());
        let size = |(slot, grid): (usize, &Grid)| if skipped(slot) { 0 } else { grid.size() };
        Gradients { slots: Buffers::new(self.grids.iter().enumerate().map(size)) }
    }

    /// How many numbers of a slot an output has.
    pub fn numbers(&self, slot: usize) -> usize {
        numbers(self.grids[slot])
    }

    /// The numbers of each output in those of all.
    fn parts<'o>(&self, engine: &Engine, mut outputs: &'o mut [f32]) -> Vec<&'o mut [f32]> {
        let mut parts = Vec::with_capacity(engine.outputs.len());
        for output in &engine.outputs {
            let (part, rest) = outputs.split_at_mut(self.numbers(output.slot));
            parts.push(part);
            outputs = rest;
        }
        parts
    }

    /// An image `[C, H, W]` → all outputs, one after another.
    pub fn forward(&self, engine: &Engine, values: &mut Values, image: &[f32], outputs: &mut [f32]) {
        let mut scratch = self.scratch.take(|| floats(self.scratch_length));
        let places = Places::of(engine);
        let slot = |slot: usize| fast::Slot { buffer: places.value(slot), grid: self.grids[slot] };
        let mut stages: Vec<Box<dyn Stage>> = vec![fast::enter(places.image, slot(0))];
        let mut owners = vec![engine.layers.len()];
        for (index, layer) in engine.layers.iter().enumerate() {
            let (from, to) = (slot(layer.input()), slot(layer.output));
            let more = layer.more.map(|more| places.value(more));
            let finish = Finish { more, relu: layer.relu, ..Finish::default() };
            match &layer.work {
                Work::Convolution(convolution) => {
                    stages.extend(convolution.forward(from, to, places.scratch, finish));
                }
                Work::MaxPool(window) => {
                    stages.push(fast::pool(*window, from, to, places.winners(index), engine.vectors))
                }
                Work::MeanPool(window) => stages.push(fast::average(Some(*window), from, to, finish, engine.vectors)),
                Work::Mean => stages.push(fast::average(None, from, to, finish, engine.vectors)),
                Work::Concat(Norm { scale, shift, .. }) => {
                    let finish = Finish { scale, bias: shift, ..finish };
                    let from = layer.inputs.iter().map(|&input| slot(input)).collect();
                    stages.push(fast::gather(from, to, finish, engine.vectors));
                }
                Work::ScaleShift(Norm { scale, shift, .. }) => {
                    let finish = Finish { scale, bias: shift, ..finish };
                    stages.push(fast::copy(from.buffer, to, finish, engine.vectors));
                }
                Work::Nothing => stages.push(fast::copy(from.buffer, to, finish, engine.vectors)),
            }
            owners.resize(stages.len(), index);
        }
        for (index, output) in engine.outputs.iter().enumerate() {
            stages.push(fast::leave(slot(output.slot), places.output(index)));
        }
        let mut buffers = vec![Buffer::Given(image), Buffer::Filled(&mut scratch)];
        buffers.extend(values.slots_and_winners.iter_mut().map(Buffer::Filled));
        buffers.extend(self.parts(engine, outputs).into_iter().map(Buffer::Filled));
        owners.resize(stages.len(), engine.layers.len());
        let took = fast::run(buffers, &stages);
        engine.times.add(Direction::Forward, engine.layers.len(), &owners, &took);
        self.scratch.give([scratch]);
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
        let mut scratch = self.scratch.take(|| floats(self.scratch_length));
        let places = Places::of(engine);
        let (stages, owners) = Back::all(self, engine, places);
        let mut buffers = vec![Buffer::Filled(image), Buffer::Filled(&mut scratch)];
        buffers.extend(values.slots_and_winners.iter().map(Buffer::Given));
        let mut rest = outputs;
        for output in &engine.outputs {
            let (part, after) = rest.split_at(self.numbers(output.slot));
            buffers.push(Buffer::Given(part));
            rest = after;
        }
        buffers.extend(gradients.slots.iter_mut().map(Buffer::Filled));
        let took = fast::run(buffers, &stages);
        engine.times.add(Direction::Backward, engine.layers.len(), &owners, &took);
        self.scratch.give([scratch]);
        let dead = |layer: &Layer| {
            let slot = layer.pool.map_or(layer.output, |pool| engine.layers[pool].output);
            layer.relu.is_some() && gradients.slots.iter().nth(slot).is_some_and(|slot| slot.iter().all(|&x| x == 0.0))
        };
        !(watch && engine.layers.iter().any(dead))
    }
}

fn numbers(grid: Grid) -> usize {
    grid.channels * grid.height * grid.width
}

/// Which buffer is what: image, scratch, values, winners, outputs, gradients.
#[derive(Clone, Copy)]
pub(super) struct Places {
    pub image: usize,
    pub scratch: usize,
    slots: usize,
    layers: usize,
    outputs: usize,
}

impl Places {
    fn of(engine: &Engine) -> Self {
        let (slots, layers, outputs) = (engine.slots.len(), engine.layers.len(), engine.outputs.len());
        Self { image: 0, scratch: 1, slots, layers, outputs }
    }

    pub fn value(self, slot: usize) -> usize {
        2 + slot
    }

    pub fn winners(self, layer: usize) -> usize {
        self.value(self.slots) + layer
    }

    pub fn output(self, index: usize) -> usize {
        self.winners(self.layers) + index
    }

    pub fn gradient(self, slot: usize) -> usize {
        self.output(self.outputs) + slot
    }
}
