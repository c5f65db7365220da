//! A text, set by the embedded font (`DejaVu` Sans, see the licence beside it).

use std::sync::LazyLock;

use ab_glyph::{Font as _, FontRef, PxScale, ScaleFont as _, point};

use crate::media::drawing::Drawing;
use crate::media::image::Image;

static FONT: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(include_bytes!("DejaVuSans.ttf")).unwrap_or_else(|error| panic!("BUG: the font: {error}"))
});

/// A text in the middle of a picture, its lines as they are written.
pub struct Text {
    /// Width of the picture in pixels.
    pub width: u32,
    /// Height of the picture in pixels.
    pub height: u32,
    /// What is written.
    pub text: String,
    /// Height of a line in pixels.
    pub size: f64,
    /// Colour of the letters.
    pub colour: [u8; 4],
    /// What is behind them.
    pub background: [u8; 4],
}

impl Text {
    /// Why a text cannot be drawn, if it cannot: a control character, or a character that the
    /// font has not.
    pub fn undrawable(text: &str) -> Option<String> {
        let strange = text.chars().find(|c| *c != '\n' && (c.is_control() || FONT.glyph_id(*c).0 == 0))?;
        Some(if strange.is_control() {
            format!("it holds the control character U+{:04X}, which cannot be drawn", u32::from(strange))
        } else {
            format!("the embedded font has no {strange:?} (U+{:04X})", u32::from(strange))
        })
    }

    /// The size, in whole pixels, in which it fits into its picture: its own, or less.
    pub fn fitting(&self) -> f64 {
        let scale = PxScale::from(self.size as f32);
        let font = FONT.as_scaled(scale);
        let lines = self.text.lines().count().max(1) as f32;
        let wide = self.text.lines().map(|line| length(line, scale)).fold(1.0, f32::max);
        let high = lines * font.height() + (lines - 1.0) * font.line_gap();
        // How much smaller the letters would have to be.
        let by = (self.width as f32 / wide).min(self.height as f32 / high);
        if by < 1.0 { (self.size * f64::from(by)).floor().max(1.0) } else { self.size }
    }
}

impl Drawing for Text {
    fn draw(&self) -> Image {
        let mut image = Image::filled(self.width, self.height, self.background);
        let scale = PxScale::from(self.size as f32);
        let font = FONT.as_scaled(scale);
        let lines: Vec<&str> = self.text.lines().collect();
        let line_height = font.height() + font.line_gap();
        let mut baseline = (self.height as f32 - line_height * lines.len() as f32) / 2.0 + font.ascent();
        for line in lines {
            let mut pen = (self.width as f32 - length(line, scale)) / 2.0;
            let mut before = None;
            for letter in line.chars() {
                let id = font.glyph_id(letter);
                pen += before.map_or(0.0, |before| font.kern(before, id));
                let glyph = id.with_scale_and_position(scale, point(pen, baseline));
                pen += font.h_advance(id);
                before = Some(id);
                if let Some(outline) = FONT.outline_glyph(glyph) {
                    let at = outline.px_bounds().min;
                    outline.draw(|x, y, coverage| self.blot(&mut image, (at.x, at.y), (x, y), coverage));
                }
            }
            baseline += line_height;
        }
        image
    }
}

impl Text {
    /// Lays the colour over one pixel by how much of it a letter covers.
    fn blot(&self, image: &mut Image, at: (f32, f32), (x, y): (u32, u32), coverage: f32) {
        let (x, y) = (at.0 as i64 + i64::from(x), at.1 as i64 + i64::from(y));
        let is_inside = (0..i64::from(self.width)).contains(&x) && (0..i64::from(self.height)).contains(&y);
        if !is_inside {
            return;
        }
        let cover = (coverage.clamp(0.0, 1.0) * 255.0 + 0.5) as u32;
        let source_alpha = (cover * u32::from(self.colour[3]) + 127) / 255;
        let start = (y as usize * self.width as usize + x as usize) * 4;
        let pixel = &mut image.pixels_mut()[start..start + 4];
        let below = u32::from(pixel[3]) * (255 - source_alpha) / 255;
        let alpha = source_alpha + below;
        if alpha == 0 {
            return;
        }
        for (channel, colour) in pixel.iter_mut().zip(self.colour).take(3) {
            let mixed = (u32::from(colour) * source_alpha + u32::from(*channel) * below + alpha / 2) / alpha;
            *channel = mixed.min(255) as u8;
        }
        pixel[3] = alpha.min(255) as u8;
    }
}

fn length(line: &str, scale: PxScale) -> f32 {
    let font = FONT.as_scaled(scale);
    let mut before = None;
    let mut length = 0.0;
    for letter in line.chars() {
        let id = font.glyph_id(letter);
        length += before.map_or(0.0, |before| font.kern(before, id)) + font.h_advance(id);
        before = Some(id);
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Image {
        let (colour, background) = ([255, 0, 0, 255], [0, 0, 255, 255]);
        Text { width: 200, height: 100, text: text.to_owned(), size: 40.0, colour, background }.draw()
    }

    #[test]
    fn letters_stand_in_the_middle() {
        let image = text("Hi");
        let red = |x, y| image.pixel(x, y)[0] > 128;
        let columns: Vec<u32> = (0..200).filter(|x| (0..100).any(|y| red(*x, y))).collect();
        let (first, last) = (columns[0], columns[columns.len() - 1]);
        assert!(first > 60 && last < 140 && (first + last).abs_diff(200) < 12, "{first}..{last}");
        assert_eq!(image.pixel(0, 0), [0, 0, 255, 255]);
    }

    #[test]
    fn nothing_is_syntax() {
        for literal in ["%{pts}", "a':textfile=/etc/passwd", "x,movie=y", "[out]", "\\\\", "-i"] {
            assert_eq!(Text::undrawable(literal), None);
            assert_ne!(text(literal), text(""), "{literal}");
        }
        assert!(Text::undrawable("a\u{7}").is_some_and(|reason| reason.contains("U+0007")));
        assert!(Text::undrawable("漢").is_some());
    }

    #[test]
    fn a_text_that_is_too_large_fits_in_a_smaller_size() {
        let of = |text: &str, size| {
            let (colour, background) = ([255, 0, 0, 255], [0, 0, 255, 255]);
            Text { width: 200, height: 100, text: text.to_owned(), size, colour, background }
        };
        let fitting = |text: &str, size| of(text, size).fitting();
        assert_eq!((fitting("Hi", 40.0), fitting("Hi\nthere", 48.0), fitting("", 100.0)), (40.0, 48.0, 100.0));
        assert!((48.0..51.0).contains(&fitting("Hi\nthere", 72.0)));
        let line = "a long line of letters";
        let size = fitting(line, 40.0);
        assert!(size < 30.0 && (fitting(line, size) - size).abs() < 0.1, "{size}");
        let image = of(line, size).draw();
        let is_blue = |x: u32| (0..100).all(|y| image.pixel(x, y) == [0, 0, 255, 255]);
        assert!(is_blue(0) && is_blue(199) && !(20..180).all(is_blue));
    }
}
