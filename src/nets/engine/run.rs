//! Forward and back over buffers of one size.

use candle_core::{Result, bail};

use super::layers::{Norm, Output, Work};
use super::times::Direction;
use super::{Engine, Pool};
use crate::ops::fast::{self, Buffer, Finish, Floats, Grid, Stage, floats, winners_grid};

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
    slots: Vec<Floats>,
    /// For each layer that pools, which cells won.
    winners: Vec<Floats>,
}

/// Gradients of all slots.
#[derive(Debug)]
pub(super) struct Gradients {
    slots: Vec<Floats>,
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
        let length =
            engine.outputs.iter().map(|output| grids[output.slot]).map(|g| g.channels * g.height * g.width).sum();
        let scratch = |layer: &super::Layer| match &layer.work {
            Work::Convolution(convolution) => convolution.scratch(grids[layer.input()], grids[layer.output]),
            _ => 0,
        };
        let scratch_length = engine.layers.iter().map(scratch).max().unwrap_or_default();
        let (values, gradients, scratch) = Default::default();
        Ok(Self { height, width, grids, length, values, gradients, scratch, scratch_length })
    }

    fn buffers(&self) -> Vec<Floats> {
        self.grids.iter().map(|grid| floats(grid.size())).collect()
    }

    pub fn new_values(&self, engine: &Engine) -> Values {
        let winners = |layer: &super::Layer| match layer.work {
            Work::MaxPool(_) => floats(winners_grid(self.grids[layer.output]).size()),
            _ => floats(0),
        };
        Values { slots: self.buffers(), winners: engine.layers.iter().map(winners).collect() }
    }

    pub fn new_gradients(&self) -> Gradients {
        Gradients { slots: self.buffers() }
    }

    /// The numbers of each output in those of all.
    fn parts<'o>(&self, engine: &Engine, mut outputs: &'o mut [f32]) -> Vec<&'o mut [f32]> {
        let mut parts = Vec::with_capacity(engine.outputs.len());
        for output in &engine.outputs {
            let Grid { channels, height, width, .. } = self.grids[output.slot];
            let (part, rest) = outputs.split_at_mut(channels * height * width);
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
        buffers.extend(values.slots.iter_mut().map(|slot| Buffer::Filled(slot)));
        buffers.extend(values.winners.iter_mut().map(|winners| Buffer::Filled(winners)));
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
        let progress = engine.slots.iter().map(|slot| Progress { left: slot.readers, ..Progress::default() }).collect();
        let mut back = Back { of: self, engine, places, progress, stages: Vec::new() };
        for (index, &Output { slot, .. }) in engine.outputs.iter().enumerate() {
            back.stages.push(fast::enter(places.output(index), back.gradient(slot)));
            back.progress[slot].written = true;
            back.progress[slot].left -= 1;
            back.mask_alone(slot);
        }
        let mut owners = vec![engine.layers.len(); back.stages.len()];
        for (index, layer) in engine.layers.iter().enumerate().rev() {
            if let Some(more) = layer.more {
                back.pass_on(layer.output, more, &layer.back[1]);
            }
            match &layer.work {
                Work::Nothing => back.pass_on(layer.output, layer.input(), &layer.back[0]),
                Work::Concat(norm) => back.take_apart(norm, layer.output, &layer.inputs),
                work => back.through(work, index, layer.output, layer.input()),
            }
            owners.resize(back.stages.len(), index);
        }
        owners.push(engine.layers.len());
        let stages = {
            let leave = fast::leave(back.gradient(0), places.image);
            back.stages.push(leave);
            back.stages
        };
        let mut buffers = vec![Buffer::Filled(image), Buffer::Filled(&mut scratch)];
        buffers.extend(values.slots.iter().map(|slot| Buffer::Given(slot)));
        buffers.extend(values.winners.iter().map(|winners| Buffer::Given(winners)));
        let mut rest = outputs;
        for output in &engine.outputs {
            let grid = self.grids[output.slot];
            let (part, after) = rest.split_at(grid.channels * grid.height * grid.width);
            buffers.push(Buffer::Given(part));
            rest = after;
        }
        buffers.extend(gradients.slots.iter_mut().map(|slot| Buffer::Filled(slot)));
        let took = fast::run(buffers, &stages);
        engine.times.add(Direction::Backward, engine.layers.len(), &owners, &took);
        self.scratch.give([scratch]);
        let dead =
            |layer: &super::Layer| layer.relu.is_some() && gradients.slots[layer.output].iter().all(|&x| x == 0.0);
        !(watch && engine.layers.iter().any(dead))
    }
}

/// Which buffer is what: image, scratch, values, winners, outputs, gradients.
#[derive(Clone, Copy)]
struct Places {
    image: usize,
    scratch: usize,
    slots: usize,
    layers: usize,
    outputs: usize,
}

impl Places {
    fn of(engine: &Engine) -> Self {
        let (slots, layers, outputs) = (engine.slots.len(), engine.layers.len(), engine.outputs.len());
        Self { image: 0, scratch: 1, slots, layers, outputs }
    }

    fn value(self, slot: usize) -> usize {
        2 + slot
    }

    fn winners(self, layer: usize) -> usize {
        self.value(self.slots) + layer
    }

    fn output(self, index: usize) -> usize {
        self.winners(self.layers) + index
    }

    fn gradient(self, slot: usize) -> usize {
        self.output(self.outputs) + slot
    }
}

/// On the way back.
struct Back<'a> {
    of: &'a Shaped,
    engine: &'a Engine,
    places: Places,
    progress: Vec<Progress>,
    stages: Vec<Box<dyn Stage + 'a>>,
}

impl<'a> Back<'a> {
    fn gradient(&self, slot: usize) -> fast::Slot {
        fast::Slot { buffer: self.places.gradient(slot), grid: self.of.grids[slot] }
    }

    /// How the next addition to a slot's gradient is stored.
    fn finish(&self, slot: usize) -> Finish<'static> {
        let progress = self.progress[slot];
        let masks = self.engine.slots[slot].relu.filter(|_| progress.left == 1);
        Finish {
            add: progress.written,
            more: progress.owed.map(|owed| self.places.gradient(owed)),
            mask: masks.map(|kind| (self.places.value(slot), kind)),
            ..Finish::default()
        }
    }

    fn added(&mut self, slot: usize) {
        let progress = &mut self.progress[slot];
        *progress = Progress { written: true, owed: None, left: progress.left - 1 };
    }

    /// Adds a slot's gradient to another's, times `scale`; later, if another addition comes that can take it along.
    fn pass_on(&mut self, from: usize, to: usize, scale: &'a [f32]) {
        let progress = self.progress[to];
        if scale.is_empty() && progress.left > 1 && progress.owed.is_none() && from != to {
            self.progress[to] = Progress { owed: Some(from), left: progress.left - 1, ..progress };
            return;
        }
        let from = self.gradient(from).buffer;
        let finish = Finish { scale, ..self.finish(to) };
        self.stages.push(fast::copy(from, self.gradient(to), finish, self.engine.vectors));
        self.added(to);
    }

    fn through(&mut self, work: &'a Work, layer: usize, from: usize, to: usize) {
        let (source, target) = (self.gradient(from), self.gradient(to));
        let finish: Finish<'a> = self.finish(to);
        match work {
            Work::Convolution(convolution) => {
                self.stages.extend(convolution.backward(source, target, self.places.scratch, finish));
            }
            Work::MaxPool(window) if self.engine.smooth_pools => {
                let values = fast::Slot { buffer: self.places.value(to), grid: self.of.grids[to] };
                self.stages.push(fast::smooth_unpool(*window, values, source, target, finish, self.engine.vectors));
            }
            Work::MaxPool(window) => {
                let winners = self.places.winners(layer);
                self.stages.push(fast::unpool(*window, source, target, winners, finish, self.engine.vectors));
            }
            Work::MeanPool(window) => {
                self.stages.push(fast::spread(Some(*window), source, target, finish, self.engine.vectors));
            }
            Work::Mean => self.stages.push(fast::spread(None, source, target, finish, self.engine.vectors)),
            Work::ScaleShift(Norm { back, .. }) => {
                let finish = Finish { scale: back, ..finish };
                self.stages.push(fast::copy(source.buffer, target, finish, self.engine.vectors));
            }
            Work::Concat(_) | Work::Nothing => {}
        }
        self.added(to);
    }

    /// Gives each picture whose channels were put together its own.
    fn take_apart(&mut self, norm: &'a Norm, from: usize, to: &[usize]) {
        let (source, mut first) = (self.gradient(from), 0);
        for &to in to {
            let target = self.gradient(to);
            let scale = norm.back.get(first..first + target.grid.channels).unwrap_or_default();
            let finish = Finish { scale, ..self.finish(to) };
            self.stages.push(fast::pick(source, first, target, finish, self.engine.vectors));
            self.added(to);
            first += target.grid.channels;
        }
    }

    /// Masks a gradient that nothing is added to any more.
    fn mask_alone(&mut self, slot: usize) {
        if let Some(kind) = self.engine.slots[slot].relu.filter(|_| self.progress[slot].left == 0) {
            let (target, mask) = (self.gradient(slot), Some((self.places.value(slot), kind)));
            self.stages.push(fast::mask(target, mask, self.engine.vectors));
        }
    }
}
