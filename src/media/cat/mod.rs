//! The picture that is there at the first start: a tabby on a window sill, drawn by code.
//!
//! The plan of the cat (`pose`, `head`, `ears`, `eyes`, `nose`, `body`, `limbs`) says of each
//! `part` which solids it has (`form`), how its coat is coloured (`marks`, `palette`) and how
//! the hair lies; `skin` lights it, `fur` grows some 150,000 hairs on it, and the `painter`
//! lays them down. `plane` and `noise` are the mathematics below, `scene` and `wool` the room.
//! None of it reads anything or takes a parameter: the picture is always the same, on every
//! machine and any number of threads.

mod body;
mod ears;
mod eyes;
mod form;
mod fur;
mod head;
mod limbs;
mod marks;
mod noise;
mod nose;
mod painter;
mod palette;
mod part;
mod plane;
mod pose;
mod scene;
mod skin;
mod wool;

use crate::media::Image;
use fur::Pelt;
use painter::Canvas;

/// Width and height of the picture in pixels.
pub const SIZE: (u32, u32) = (1600, 1200);

/// Draws the cat.
pub fn draw() -> Image {
    let mut canvas = Canvas::new(SIZE.0 as usize, SIZE.1 as usize);
    scene::paint(&mut canvas);
    wool::paint(&mut canvas);
    hindquarters(&mut canvas);
    forequarters(&mut canvas);
    ears::paint(&mut canvas);
    Pelt::of(head::part()).paint(&mut canvas);
    nose::paint(&mut canvas);
    eyes::paint(&mut canvas);
    canvas.strokes(&nose::whiskers());
    canvas.into_image()
}

fn hindquarters(canvas: &mut Canvas) {
    let (tail, back) = (Pelt::of(limbs::tail()), Pelt::of(body::back()));
    let (haunch, paw) = (Pelt::of(body::haunch()), Pelt::of(limbs::paw(2)));
    tail.paint(canvas);
    back.paint(canvas);
    haunch.paint(canvas);
    back.comb(canvas, |p| body::above_haunch(p, &haunch));
    paw.paint(canvas);
    limbs::toes(canvas, 2);
    haunch.comb(canvas, |p| limbs::above_paw(p, &paw));
    tail.comb(canvas, limbs::tail_is_before);
}

fn forequarters(canvas: &mut Canvas) {
    let chest = Pelt::of(body::chest());
    chest.paint(canvas);
    for index in 0..2 {
        let paw = Pelt::of(limbs::paw(index));
        paw.paint(canvas);
        limbs::toes(canvas, index);
        chest.comb(canvas, |p| limbs::above_paw(p, &paw));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ContentHash;

    const GOLDEN: &str = "162aa9a426b9455dcf2f3839c3e2838418a2e0ab7852f8256cf9233e764e8230";

    #[test]
    fn the_picture_is_the_golden_one_on_one_thread_and_on_three() {
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let cat = pool.install(draw);
            assert_eq!((cat.width(), cat.height()), SIZE);
            assert!(cat.is_opaque());
            assert_eq!(ContentHash::of(cat.pixels()).to_string(), GOLDEN, "on {threads} threads");
        }
    }
}
