//! GIFs are decoded again and put together as a player does.

use super::*;
use image::Rgb;

/// The screens that a player shows, with their delays, and the file's palette sizes.
fn play(bytes: &[u8]) -> (Vec<RgbImage>, Vec<u16>) {
    let mut options = ::gif::DecodeOptions::new();
    options.set_color_output(::gif::ColorOutput::Indexed);
    let mut decoder = options.read_info(bytes).unwrap();
    let global = decoder.global_palette().unwrap().to_vec();
    assert!(global.len() <= 3 * 256);
    let mut screen = RgbImage::new(u32::from(decoder.width()), u32::from(decoder.height()));
    let (mut screens, mut delays) = (Vec::new(), Vec::new());
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        assert!(frame.palette.is_none(), "one palette for all");
        assert_eq!(frame.dispose, DisposalMethod::Keep);
        for (i, entry) in frame.buffer.iter().enumerate() {
            if frame.transparent != Some(*entry) {
                let (x, y) = (i % usize::from(frame.width), i / usize::from(frame.width));
                let color = &global[3 * usize::from(*entry)..][..3];
                let place = (u32::from(frame.left) + x as u32, u32::from(frame.top) + y as u32);
                screen.put_pixel(place.0, place.1, Rgb(color.try_into().unwrap()));
            }
        }
        screens.push(screen.clone());
        delays.push(frame.delay);
    }
    (screens, delays)
}

fn encoded(frames: &[RgbImage]) -> Vec<u8> {
    encode(frames, &Options::default()).unwrap()
}

/// A fixed sequence of numbers that look random.
struct Noise(u64);

impl Noise {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 40) as u32) % limit
    }
}

/// A sky: smooth in two colours.
fn gradient(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (f64::from(x) / f64::from(width), f64::from(y) / f64::from(height));
        Rgb([60.0 + 120.0 * v, 90.0 + 80.0 * v + 40.0 * u, 160.0 + 60.0 * u].map(|c| c.round() as u8))
    })
}

/// Grey noise that slowly becomes a gradient with busy spots, as a run of a recipe does.
fn growing(frames: u32, side: u32) -> Vec<RgbImage> {
    let (end, mut noise) = (gradient(side, side), Noise(1));
    let busy = RgbImage::from_fn(side, side, |_, _| Rgb([0; 3].map(|_: u8| noise.below(256) as u8)));
    let frame = |t: u32| {
        let t = f64::from(t) / f64::from(frames.max(2) - 1);
        RgbImage::from_fn(side, side, |x, y| {
            let spot = (x / 16 + y / 16) % 3 == 0;
            let goal = if spot { busy.get_pixel(x, y) } else { end.get_pixel(x, y) };
            Rgb(goal.0.map(|c| (128.0 + t * (f64::from(c) - 128.0)).round() as u8))
        })
    };
    (0..frames).map(frame).collect()
}

fn psnr(a: &RgbImage, b: &RgbImage) -> f64 {
    let error: f64 = a
        .iter()
        .zip(b.iter())
        .map(|(a, b)| {
            let off = f64::from(*a) - f64::from(*b);
            off * off
        })
        .sum();
    10.0 * libm::log10(255.0 * 255.0 * a.len() as f64 / error.max(1e-9))
}

/// Seen from afar: the mean of each 4x4 block.
fn afar(picture: &RgbImage) -> RgbImage {
    RgbImage::from_fn(picture.width() / 4, picture.height() / 4, |x, y| {
        let mut sum = [0u32; 3];
        for (dx, dy) in (0..16).map(|i| (i % 4, i / 4)) {
            let pixel = picture.get_pixel(4 * x + dx, 4 * y + dy);
            sum.iter_mut().zip(pixel.0).for_each(|(sum, c)| *sum += u32::from(c));
        }
        Rgb(sum.map(|sum| (sum / 16) as u8))
    })
}

#[test]
fn what_is_played_is_what_was_quantized() {
    for frames in [growing(7, 61), vec![gradient(33, 20)], growing(3, 1)] {
        let (palette, indexed) = quantize(&frames);
        let (screens, _) = play(&encoded(&frames));
        assert_eq!(screens.len(), frames.len());
        for (screen, entries) in screens.iter().zip(indexed) {
            let colors: Vec<_> = entries.iter().map(|entry| palette.colors()[usize::from(*entry)]).collect();
            assert_eq!(screen.as_raw(), &colors.concat());
        }
    }
}

#[test]
fn few_colors_are_kept_exactly() {
    // 255 colours, the most that leave an entry for transparency.
    let frames: Vec<_> = (0..5u32)
        .map(|t| RgbImage::from_fn(51, 20, |x, y| Rgb([(5 * ((x + t) % 51)) as u8, (60 * (y % 5)) as u8, 9])))
        .collect();
    assert_eq!(Palette::of(&frames).colors().len(), 255);
    assert_eq!(play(&encoded(&frames)).0, frames);
    let one = vec![RgbImage::from_pixel(4, 4, Rgb([1, 2, 3])); 3];
    assert_eq!(play(&encoded(&one)).0, one);
}

#[test]
fn flat_areas_are_kept_exactly() {
    let mut frames = growing(4, 96);
    for frame in &mut frames {
        for (x, y) in (0..96).flat_map(|x| (0..8).map(move |y| (x, y))) {
            let letter = (x / 3 + y) % 7 == 0;
            frame.put_pixel(x, y, if letter { Rgb([235, 235, 230]) } else { Rgb([24, 24, 27]) });
        }
    }
    let (screens, _) = play(&encoded(&frames));
    for (frame, screen) in frames.iter().zip(screens) {
        assert!(
            frame.enumerate_pixels().filter(|(_, y, _)| *y < 8).all(|(x, y, pixel)| screen.get_pixel(x, y) == pixel)
        );
    }
}

#[test]
fn gradients_have_no_bands() {
    let sky = gradient(256, 256);
    let (screens, _) = play(&encoded(std::slice::from_ref(&sky)));
    let (near, far) = (psnr(&sky, &screens[0]), psnr(&afar(&sky), &afar(&screens[0])));
    assert!(near > 34.0 && far > 42.0, "{near:.1} dB, from afar {far:.1} dB");
    let grown = growing(9, 128);
    let (screens, _) = play(&encoded(&grown));
    let (near, far) = (psnr(&grown[8], &screens[8]), psnr(&afar(&grown[8]), &afar(&screens[8])));
    assert!(near > 25.0 && far > 36.0, "{near:.1} dB, from afar {far:.1} dB");
}

#[test]
fn a_still_picture_does_not_flicker() {
    let mut noise = Noise(3);
    let still = gradient(128, 128);
    let shaken: Vec<_> = (0..8)
        .map(|_| {
            let mut frame = still.clone();
            frame.pixels_mut().for_each(|p| p.0 = p.0.map(|c| (u32::from(c) + noise.below(3) - 1) as u8));
            frame
        })
        .collect();
    let (screens, _) = play(&encoded(&shaken));
    let changed = |a: &RgbImage, b: &RgbImage| a.pixels().zip(b.pixels()).filter(|(a, b)| a != b).count();
    let most = screens.windows(2).map(|pair| changed(&pair[0], &pair[1])).max().unwrap();
    assert_eq!(most, 0, "of {} pixels", 128 * 128);
    // Without the noise not a byte is spent on the later frames.
    let (one, many) = (encoded(std::slice::from_ref(&still)).len(), encoded(&vec![still; 8]).len());
    assert!(many - one < 7 * 32, "{one} bytes for one frame, {many} for eight");
}

#[test]
fn the_bytes_do_not_depend_on_the_number_of_threads() {
    let frames = growing(6, 80);
    let with =
        |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| encoded(&frames));
    let one = with(1);
    assert!(one == with(2) && one == with(5));
}

#[test]
fn only_what_changed_is_written() {
    let mut frames = vec![gradient(200, 200); 2];
    frames[1].put_pixel(150, 20, Rgb([255, 0, 0]));
    frames[1].put_pixel(153, 22, Rgb([255, 0, 0]));
    let (_, indexed) = quantize(&frames);
    let area = Area::of_change(&indexed[0], &indexed[1], 200).unwrap();
    assert_eq!((area.corner(), area.size()), ((150, 20), (4, 3)));
}

#[test]
fn the_whole_lasts_as_long_as_it_should() {
    assert_eq!(delays(7, 12.0, 1.0).unwrap(), [8, 9, 8, 8, 9, 8, 100]);
    assert_eq!(delays(4, 50.0, 0.5).unwrap(), [2, 2, 2, 50]);
    assert_eq!(delays(1, 12.0, 1.0).unwrap(), [100]);
    assert_eq!(delays(0, 12.0, 1.0).unwrap(), [0u16; 0]);
    for fps in [0.5, 1.0, 7.0, 12.0, 23.976, 24.0, 30.0, 33.0, 45.0, 49.9] {
        let delays = delays(301, fps, 1.0).unwrap();
        let total: u32 = delays.iter().map(|delay| u32::from(*delay)).sum();
        assert_eq!(f64::from(total), (300.0 * 100.0 / fps).round() + 100.0, "{fps} fps");
        assert!(delays.iter().all(|delay| *delay >= 2), "{fps} fps");
    }
    for fps in [0.0, -1.0, 50.1, f64::NAN, f64::INFINITY] {
        assert!(matches!(delays(2, fps, 1.0), Err(GifError::Rate(_))), "{fps} fps");
    }
    assert_eq!(play(&encoded(&growing(7, 9))).1, [8, 9, 8, 8, 9, 8, 100]);
}

#[test]
fn it_plays_as_often_as_asked() {
    let file = |plays| encode(&growing(2, 4), &Options { plays, ..Options::default() }).unwrap();
    let repeat = |bytes: &[u8]| {
        let mut decoder = ::gif::DecodeOptions::new().read_info(bytes).unwrap();
        while decoder.next_frame_info().unwrap().is_some() {}
        decoder.repeat()
    };
    assert_eq!(repeat(&file(Plays::Forever)), Repeat::Infinite);
    assert_eq!(repeat(&file(Plays::Times(3))), Repeat::Finite(2));
    assert_eq!(repeat(&file(Plays::Times(1))), Repeat::Finite(0));
    assert_eq!(file(Plays::Times(0)), file(Plays::Times(1)));
}

#[test]
fn wrong_frames_are_errors() {
    let error = |frames: &[RgbImage]| encode(frames, &Options::default()).unwrap_err();
    assert!(matches!(error(&[]), GifError::Empty));
    assert!(matches!(error(&[RgbImage::new(0, 3)]), GifError::Empty));
    let text = error(&[RgbImage::new(4, 3), RgbImage::new(4, 3), RgbImage::new(3, 4)]).to_string();
    assert_eq!(text, "frame 2 is 3x4, the first one 4x3");
    assert!(matches!(error(&[RgbImage::new(65_536, 1)]), GifError::TooLarge { .. }));
    assert_eq!(play(&encoded(&[RgbImage::new(65_535, 1)])).0.len(), 1);
}

#[test]
fn every_error_of_the_disk_is_told() {
    let frames = growing(2, 6);
    let whole = encoded(&frames);
    for room in 0..whole.len() {
        let mut disk = vec![0; room];
        let error = write(&mut disk[..], &frames, &Options::default()).unwrap_err();
        assert!(matches!(error, GifError::Write(_)), "{room} bytes: {error}");
    }
    let mut disk = vec![0; whole.len()];
    write(&mut disk[..], &frames, &Options::default()).unwrap();
    assert_eq!(disk, whole);
}
