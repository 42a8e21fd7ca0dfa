//! From the outputs' gradients back to the image's.

use std::collections::VecDeque;

use super::Engine;
use super::layers::{Layer, Norm, Output, Work};
use super::run::{Places, Shaped};
use crate::ops::fast::{self, Finish, Stage, Winners};

/// What has been added to a slot's gradient so far.
#[derive(Clone, Copy, Default)]
struct Progress {
    /// Whether the buffer holds something.
    written: bool,
    /// A slot whose gradient is still to be added as it is.
    owed: Option<usize>,
    /// How many are still to come.
    left: usize,
    /// Whether what is there has gone through the rectifier's mask.
    masked: bool,
}

/// The order in which gradients go back through layers: the last first; but of two that read the same, the one that gives
/// something to all of its pixels before the one that gives only to some, as the other pixels then need no second look.
fn way_back(layers: &[Layer]) -> VecDeque<usize> {
    let mut order: VecDeque<usize> = (0..layers.len()).rev().collect();
    for place in 1..order.len() {
        let (after, before) = (&layers[order[place - 1]], &layers[order[place]]);
        let alike = after.inputs == before.inputs && after.more.is_none() && before.more.is_none();
        if alike && after.adds_to_some() && !before.adds_to_some() {
            order.swap(place - 1, place);
        }
    }
    order
}

/// On the way back.
pub(super) struct Back<'a> {
    of: &'a Shaped,
    engine: &'a Engine,
    places: Places,
    progress: Vec<Progress>,
    /// Layers that are still to come.
    rest: VecDeque<usize>,
    stages: Vec<Box<dyn Stage + 'a>>,
}

impl<'a> Back<'a> {
    /// From the outputs' gradients to the image's: the stages, and for each of them the number of its layer.
    pub fn all(of: &'a Shaped, engine: &'a Engine, places: Places) -> (Vec<Box<dyn Stage + 'a>>, Vec<usize>) {
        let progress = engine.slots.iter().map(|slot| Progress { left: slot.readers, ..Progress::default() }).collect();
        let mut back = Self { of, engine, places, progress, rest: way_back(&engine.layers), stages: Vec::new() };
        for (index, &Output { slot, .. }) in engine.outputs.iter().enumerate() {
            back.stages.push(fast::enter(places.output(index), back.gradient(slot)));
            back.progress[slot].written = true;
            back.progress[slot].left -= 1;
            back.mask_alone(slot);
        }
        let mut owners = vec![engine.layers.len(); back.stages.len()];
        while let Some(&index) = back.rest.front() {
            let layer = &engine.layers[index];
            if let Some(more) = layer.more {
                back.pass_on(layer.output, more, &layer.back[1]);
            }
            back.rest.pop_front();
            match &layer.work {
                Work::Nothing => back.pass_on(layer.output, layer.input(), &layer.back[0]),
                Work::Concat(norm) => back.take_apart(norm, layer.output, &layer.inputs),
                work => back.through(work, index, layer.output, layer.input()),
            }
            owners.resize(back.stages.len(), index);
        }
        back.stages.push(fast::leave(back.gradient(0), places.image));
        owners.push(engine.layers.len());
        (back.stages, owners)
    }

    fn gradient(&self, slot: usize) -> fast::Slot {
        fast::Slot { buffer: self.places.gradient(slot), grid: self.of.grids[slot] }
    }

    /// How the next addition to a slot's gradient is stored.
    fn finish(&self, slot: usize) -> Finish<'static> {
        let progress = self.progress[slot];
        let masks = self.engine.slots[slot].relu.filter(|_| progress.left == 1 || self.only_some_left(slot));
        Finish {
            add: progress.written,
            more: progress.owed.map(|owed| self.places.gradient(owed)),
            mask: masks.map(|kind| (self.places.value(slot), kind)),
            masked: progress.masked,
            ..Finish::default()
        }
    }

    /// Whether all that is still to be added to a slot's gradient are parts of it, which is best added to what is masked.
    fn only_some_left(&self, slot: usize) -> bool {
        let readers = self.rest.iter().map(|&layer| &self.engine.layers[layer]);
        let mut readers = readers.filter(|layer| layer.inputs.contains(&slot) || layer.more == Some(slot)).peekable();
        readers.peek().is_some() && readers.all(Layer::adds_to_some)
    }

    fn added(&mut self, slot: usize, masked: bool) {
        let progress = &mut self.progress[slot];
        *progress = Progress { written: true, owed: None, left: progress.left - 1, masked };
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
        self.added(to, finish.mask.is_some());
    }

    /// What a pool left of a convolution's result, if its gradient goes so.
    fn winners(&self, layer: usize) -> Option<Winners> {
        let layers = &self.engine.layers;
        let pool = layers[layer].pool?;
        let Work::MaxPool(window) = layers[pool].work else { return None };
        let (gradient, results) = (self.gradient(layers[pool].output), self.of.grids[layers[layer].output]);
        Some(Winners { window, gradient, places: self.places.winners(pool), results })
    }

    fn through(&mut self, work: &'a Work, layer: usize, from: usize, to: usize) {
        let (source, target) = (self.gradient(from), self.gradient(to));
        let finish: Finish<'a> = self.finish(to);
        match work {
            Work::Convolution(convolution) => match self.winners(layer) {
                Some(winners) => self.stages.push(convolution.backward_of(winners, target, finish)),
                None => self.stages.extend(convolution.backward(source, target, self.places.scratch, finish)),
            },
            // What won sends its gradient on to the convolution's picture at once.
            Work::MaxPool(_) if self.engine.layers.iter().any(|before| before.pool == Some(layer)) => {}
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
        self.added(to, finish.mask.is_some());
    }

    /// Gives each picture whose channels were put together its own.
    fn take_apart(&mut self, norm: &'a Norm, from: usize, to: &[usize]) {
        let (source, mut first) = (self.gradient(from), 0);
        for &to in to {
            let target = self.gradient(to);
            let scale = norm.back.get(first..first + target.grid.channels).unwrap_or_default();
            let finish = Finish { scale, ..self.finish(to) };
            self.stages.push(fast::pick(source, first, target, finish, self.engine.vectors));
            self.added(to, finish.mask.is_some());
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
