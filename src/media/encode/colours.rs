//! The samples that a format is given: fewer channels where the picture needs fewer.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::media::image::{CHANNELS, Image};

/// Pixels of one task, and of a picture that is done on the spot.
const RUN: usize = 64 << 10;

/// Is every pixel grey (whatever its alpha)?
pub(super) fn is_grey(image: &Image) -> bool {
    all(image, |[r, g, b, _]| r == g && g == b)
}

/// Is every pixel opaque?
pub(super) fn is_opaque(image: &Image) -> bool {
    all(image, |[_, _, _, a]| a == 255)
}

/// The answer does not depend on where a search stops, so that it may stop early.
fn all(image: &Image, holds: impl Fn([u8; CHANNELS]) -> bool + Sync) -> bool {
    let of_run = |run: &[u8]| run.as_chunks().0.iter().all(|pixel| holds(*pixel));
    if image.pixels().len() <= RUN * CHANNELS {
        of_run(image.pixels())
    } else {
        image.pixels().par_chunks(RUN * CHANNELS).all(of_run)
    }
}

/// `N` samples a pixel, packed.
pub(super) fn packed<const N: usize>(image: &Image, samples: impl Fn([u8; CHANNELS]) -> [u8; N] + Sync) -> Vec<u8> {
    let mut packed = vec![0; image.pixels().len() / CHANNELS * N];
    let fill = |(to, from): (&mut [u8], &[u8])| {
        for (to, from) in to.as_chunks_mut().0.iter_mut().zip(from.as_chunks().0) {
            *to = samples(*from);
        }
    };
    if image.pixels().len() <= RUN * CHANNELS {
        fill((&mut packed, image.pixels()));
    } else {
        packed.par_chunks_mut(RUN * N).zip(image.pixels().par_chunks(RUN * CHANNELS)).for_each(fill);
    }
    packed
}

/// The samples of a picture without its alpha.
pub(super) fn rgb(image: &Image) -> Vec<u8> {
    packed(image, |[r, g, b, _]| [r, g, b])
}

/// The picture over black, if it is not opaque.
pub(super) fn over_black(image: &Image) -> Cow<'_, Image> {
    if is_opaque(image) {
        return Cow::Borrowed(image);
    }
    let pixels = packed(image, |[r, g, b, a]| {
        let [r, g, b] = [r, g, b].map(|value| ((u32::from(value) * u32::from(a) + 127) / 255) as u8);
        [r, g, b, 255]
    });
    Cow::Owned(Image::new(image.width(), image.height(), pixels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_apart() {
        let size = (RUN as u32, 3);
        let mut image = Image::filled(size.0, size.1, [9, 9, 9, 255]);
        assert!(is_grey(&image) && is_opaque(&image));
        let last = image.pixels().len() - 1;
        image.pixels_mut()[last] = 254;
        assert!(is_grey(&image) && !is_opaque(&image));
        image.pixels_mut()[last - 1] = 8;
        assert!(!is_grey(&image));
        assert_eq!(rgb(&image)[last / 4 * 3..], [9, 9, 8]);
    }

    #[test]
    fn black_shows_through() {
        let image = Image::new(3, 1, vec![200, 100, 50, 128, 255, 255, 255, 0, 1, 2, 3, 255]);
        assert_eq!(over_black(&image).pixels(), [100, 50, 25, 255, 0, 0, 0, 255, 1, 2, 3, 255]);
    }
}
