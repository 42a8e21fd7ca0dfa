//! What the network likes best to see of every motif, found by climbing its
//! scores from grey: the recipe that fviz ships, in short.

use crate::draw::{Canvas, Dice, Rgb, SIZE, p};
use crate::net::{Mode, Net};
use crate::scene::blur;
use crate::train::{numbers, stretch};
use candle_core::{Device, Result, Tensor, Var};
use image::{RgbImage, imageops};
use rayon::prelude::*;
use std::path::Path;

/// What is climbed.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Goal {
    /// The class's score at the position in the middle of the last map.
    Centre,
    /// The class's score of the whole picture.
    Whole,
}

/// How a score is climbed.
#[derive(Clone, Copy)]
pub struct Climb {
    /// What is climbed.
    pub goal: Goal,
    /// How many steps are taken.
    pub steps: usize,
    /// How far each of them goes, in L2.
    pub length: f32,
    /// The blur at the start; it ends with 0.1 after four fifths of the steps.
    pub blur: f32,
    /// The seed of the start and of all turns.
    pub seed: u64,
}

/// A picture turned, scaled and shifted about its middle: for every pixel the
/// four that it comes from and their shares.
struct Warp(Vec<[(usize, f32); 4]>);

impl Warp {
    fn new(dice: &mut Dice) -> Self {
        let (turn, scale) = (dice.spread(15f32.to_radians()), dice.range(0.8, 1.2));
        let shift = p(dice.spread(8.), dice.spread(8.));
        let middle = (SIZE as f32 - 1.) / 2.;
        let last = SIZE as f32 - 1.;
        let reflect = |x: f32| last - (last - x.abs()).abs();
        let sources = |i: usize| {
            let at = p((i % SIZE) as f32 - middle, (i / SIZE) as f32 - middle);
            let at = at.from(shift).turned(turn);
            let (x, y) = (reflect(at.x / scale + middle), reflect(at.y / scale + middle));
            let (left, top) = (x.floor().clamp(0., last - 1.), y.floor().clamp(0., last - 1.));
            let (u, v) = (x - left, y - top);
            let from = top as usize * SIZE + left as usize;
            [
                (from, (1. - u) * (1. - v)),
                (from + 1, u * (1. - v)),
                (from + SIZE, (1. - u) * v),
                (from + SIZE + 1, u * v),
            ]
        };
        Self((0..SIZE * SIZE).map(sources).collect())
    }

    fn forward(&self, canvas: &Canvas) -> Canvas {
        let pixel = |sources: &[(usize, f32); 4]| -> Rgb {
            std::array::from_fn(|c| sources.iter().map(|(i, share)| canvas.0[*i][c] * share).sum())
        };
        Canvas(self.0.iter().map(pixel).collect())
    }

    /// The gradient before the warp from that after it, one plane.
    fn backward(&self, grad: &[f32]) -> Vec<f32> {
        let mut out = vec![0.; grad.len()];
        for (sources, grad) in self.0.iter().zip(grad) {
            sources.iter().for_each(|(i, share)| out[*i] += grad * share);
        }
        out
    }
}

/// Pictures as one tensor.
pub fn stack(pictures: &[Canvas]) -> Result<Tensor> {
    let values = pictures.iter().flat_map(numbers).collect();
    Tensor::from_vec(values, (pictures.len(), 3, SIZE, SIZE), &Device::Cpu)
}

/// Finds a picture for every class.
pub fn climb(net: &Net, classes: &[usize], climb: &Climb) -> Result<Vec<Canvas>> {
    let mut dice = Dice::new(climb.seed, 0);
    let mut start = || -> Rgb { std::array::from_fn(|_| 0.5 + 0.03 * dice.normal()) };
    let mut pictures: Vec<Canvas> =
        classes.iter().map(|_| Canvas((0..SIZE * SIZE).map(|_| start()).collect())).collect();
    let index = Tensor::from_vec(classes.iter().map(|c| *c as u32).collect(), (classes.len(), 1), &Device::Cpu)?;
    for step in 0..climb.steps {
        let warp = Warp::new(&mut dice);
        let warped: Vec<Canvas> = pictures.par_iter().map(|x| warp.forward(x)).collect();
        let input = Var::from_tensor(&stack(&warped)?)?;
        let scores = match climb.goal {
            Goal::Centre => {
                let map = net.map(&input, Mode::Look)?;
                let middle = map.dims()[2] / 2;
                map.narrow(2, middle, 1)?.narrow(3, middle, 1)?.flatten_from(1)?
            }
            Goal::Whole => net.scores(&input, Mode::Look)?,
        };
        let grads = scores.gather(&index, 1)?.sum_all()?.backward()?;
        let grad = grads.get(&input).expect("the scores depend on the pictures");
        let grad = grad.flatten_all()?.to_vec1::<f32>()?;
        let t = step as f32 / climb.steps as f32;
        let plane = SIZE * SIZE;
        pictures.par_iter_mut().zip(grad.par_chunks(3 * plane)).for_each(|(picture, grad)| {
            let mut grad: Vec<f32> = grad.chunks(plane).flat_map(|g| warp.backward(g)).collect();
            stretch(&mut grad, climb.length);
            for (i, pixel) in picture.0.iter_mut().enumerate() {
                *pixel = std::array::from_fn(|c| (pixel[c] + grad[c * plane + i]).clamp(0., 1.));
            }
            if step % 4 == 3 && t < 0.8 {
                blur(picture, climb.blur * (1. - t / 0.8) + 0.1);
            }
        });
    }
    Ok(pictures)
}

/// The rank that the network gives the right class of each picture, 1 for the first.
pub fn ranks(net: &Net, pictures: &[Canvas], classes: &[usize]) -> Result<Vec<usize>> {
    let scores = net.scores(&stack(pictures)?, Mode::Look)?.to_vec2::<f32>()?;
    let rank =
        |(scores, class): (&Vec<f32>, &usize)| 1 + scores.iter().filter(|score| **score > scores[*class]).count();
    Ok(scores.iter().zip(classes).map(rank).collect())
}

/// Turns numbers into an image, enlarged.
pub fn image(canvas: &Canvas, times: u32) -> RgbImage {
    let small = RgbImage::from_fn(SIZE as u32, SIZE as u32, |x, y| {
        let pixel = canvas.0[y as usize * SIZE + x as usize];
        image::Rgb(pixel.map(|v| (v * 255.).round() as u8))
    });
    let size = SIZE as u32 * times;
    imageops::resize(&small, size, size, imageops::FilterType::CatmullRom)
}

/// Lays pictures out in rows on one sheet.
pub fn sheet(pictures: &[Canvas], columns: u32, times: u32, path: &Path) -> crate::Outcome<()> {
    let cell = SIZE as u32 * times + 4;
    let rows = (pictures.len() as u32).div_ceil(columns);
    let mut sheet = RgbImage::new(columns * cell, rows * cell);
    for (i, picture) in pictures.iter().enumerate() {
        let (x, y) = (i as u32 % columns * cell, i as u32 / columns * cell);
        imageops::replace(&mut sheet, &image(picture, times), x.into(), y.into());
    }
    Ok(sheet.save(path)?)
}
