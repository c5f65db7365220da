//! `TRANSFORM`, alone and for each item of a `MAP`, and `BLEND`: values of pixels worked out here.

use super::{Case, RED, Rig, Seen, about, film, near};

pub const CASES: &[Case] = &[
    ("TRANSFORM", "effects", effects),
    ("TRANSFORM", "effects.saturation", |rig| [FILM, STILL].iter().for_each(|way| saturation(rig, *way))),
    ("TRANSFORM", "effects.contrast", |rig| [FILM, STILL].iter().for_each(|way| contrast(rig, *way))),
    ("TRANSFORM", "effects.brightness", |rig| [FILM, STILL].iter().for_each(|way| brightness(rig, *way))),
    ("TRANSFORM", "effects.gamma", |rig| [FILM, STILL].iter().for_each(|way| gamma(rig, *way))),
    ("TRANSFORM", "effects.hue", |rig| [FILM, STILL].iter().for_each(|way| hue(rig, *way))),
    ("TRANSFORM", "effects.blur", |rig| [FILM, STILL].iter().for_each(|way| blur(rig, *way))),
    ("TRANSFORM", "effects.sharpen", |rig| [FILM, STILL].iter().for_each(|way| sharpen(rig, *way))),
    ("TRANSFORM", "effects.speed", |rig| {
        speed(rig, FILM);
        let still = rig.see("type: TRANSFORM, config: {effects: {speed: 2}}", &["flag.png"]);
        assert_eq!(still, rig.see("type: TRANSFORM", &["flag.png"]));
    }),
    ("MAP", "effects[n].saturation", |rig| saturation(rig, MAPPED)),
    ("MAP", "effects[n].contrast", |rig| contrast(rig, MAPPED)),
    ("MAP", "effects[n].brightness", |rig| brightness(rig, MAPPED)),
    ("MAP", "effects[n].gamma", |rig| gamma(rig, MAPPED)),
    ("MAP", "effects[n].hue", |rig| hue(rig, MAPPED)),
    ("MAP", "effects[n].blur", |rig| blur(rig, MAPPED)),
    ("MAP", "effects[n].sharpen", |rig| sharpen(rig, MAPPED)),
    ("MAP", "effects[n].speed", |rig| speed(rig, MAPPED)),
    ("BLEND", "mode", blend_mode),
    ("BLEND", "opacity", blend_opacity),
];

/// How effects are asked for, and of what.
#[derive(Clone, Copy)]
struct Way {
    is_film: bool,
    is_mapped: bool,
}

const FILM: Way = Way { is_film: true, is_mapped: false };
const STILL: Way = Way { is_film: false, is_mapped: false };
const MAPPED: Way = Way { is_film: true, is_mapped: true };

impl Way {
    fn see(self, rig: &Rig, effects: &str, source: &str) -> Seen {
        if self.is_mapped {
            let map = format!("type: MAP, config: {{operation: TRANSFORM, effects: [{{{effects}}}]}}");
            return rig.see_last(&[&map, "type: SEQUENCE, inputs: [n0]"], &[source]);
        }
        rig.see(&format!("type: TRANSFORM, config: {{effects: {{{effects}}}}}"), &[source])
    }

    /// What becomes of a colour.
    fn colour(self, rig: &Rig, effects: &str, colour: &str) -> [u8; 3] {
        let film = film(colour);
        let source = if self.is_film { film } else { film.replace(", duration: 0.4", "") };
        self.see(rig, effects, &source).middle(0)
    }

    /// A row through the edge between the greys 64 and 192, which is before column 32.
    fn edge(self, rig: &Rig, effects: &str) -> Vec<u8> {
        let seen = self.see(rig, effects, if self.is_film { "edge.mkv" } else { "edge.png" });
        (0..64).map(|x| seen.pixel(0, x, 24)[0]).collect()
    }

    /// A grey through FFmpeg's formula of `eq`, which a film's luma of 16 to 235 goes through as it is.
    fn eq(self, grey: f64, contrast: f64, brightness: f64, gamma: f64) -> f64 {
        let (base, scale) = if self.is_film { (16.0, 219.0 / 255.0) } else { (0.0, 1.0) };
        let luma = (base + grey * scale) / 255.0;
        let changed = (contrast * (luma - 0.5) + 0.5 + brightness).max(0.0).powf(1.0 / gamma);
        (changed * 255.0 - base) / scale
    }
}

fn effects(rig: &Rig) {
    for source in ["flag.mkv", "flag.png"] {
        let plain = rig.see("type: TRANSFORM", &[source]);
        near(plain.pixel(0, 10, 4), RED, 8);
        assert_eq!(rig.see("type: TRANSFORM, config: {effects: {hue: 0, blur: 0, saturation: 1}}", &[source]), plain);
    }
}

fn saturation(rig: &Rig, way: Way) {
    // A film's chroma of 8 bits at half the strength is off by up to three.
    for (saturation, expected) in
        [(0.0, [117, 117, 117]), (0.5, [134, 114, 104]), (1.0, [150, 110, 90]), (2.0, [183, 103, 63])]
    {
        near(way.colour(rig, &format!("saturation: {saturation}"), "#966e5a"), expected, 7);
    }
}

fn grey(rig: &Rig, way: Way, effects: &str, grey: u8) -> f64 {
    let [r, g, b] = way.colour(rig, effects, &format!("#{grey:02x}{grey:02x}{grey:02x}"));
    assert!(r.abs_diff(g) <= 2 && g.abs_diff(b) <= 2, "{r} {g} {b}");
    f64::from(g)
}

fn contrast(rig: &Rig, way: Way) {
    for (of, contrast) in [(200, 0.5), (100, 2.0), (200, 0.0)] {
        about(grey(rig, way, &format!("contrast: {contrast}"), of), way.eq(of.into(), contrast, 0.0, 1.0), 5.0);
    }
    about(way.eq(200.0, 0.5, 0.0, 1.0), 164.0, 2.0);
}

fn brightness(rig: &Rig, way: Way) {
    for brightness in [0.25, -0.25] {
        about(grey(rig, way, &format!("brightness: {brightness}"), 120), way.eq(120.0, 1.0, brightness, 1.0), 5.0);
    }
    about(way.eq(120.0, 1.0, 0.25, 1.0), 189.0, 6.0);
}

fn gamma(rig: &Rig, way: Way) {
    for (of, gamma) in [(64, 2.0), (128, 0.5)] {
        about(grey(rig, way, &format!("gamma: {gamma}"), of), way.eq(of.into(), 1.0, 0.0, gamma), 5.0);
    }
    about(way.eq(64.0, 1.0, 0.0, 2.0), 132.0, 8.0);
}

fn hue(rig: &Rig, way: Way) {
    let strongest = |degrees: i32| {
        let found = way.colour(rig, &format!("hue: {degrees}"), "#c02020");
        (0..3).max_by_key(|channel| found[*channel]).unwrap_or_default()
    };
    assert_eq!([0, 120, -120, 240].map(strongest), [0, 1, 2, 2]);
    near(way.colour(rig, "hue: 360", "#c02020"), [192, 32, 32], 4);
}

fn blur(rig: &Rig, way: Way) {
    // Twice a box of 2r + 1: 4r columns are of neither grey.
    let between = |radius: &str| {
        way.edge(rig, &format!("blur: {radius}")).iter().filter(|grey| (68..188).contains(*grey)).count()
    };
    assert_eq!((between("0"), between("0.9")), (0, 0));
    let (small, large) = (between("2"), between("6"));
    assert!((6..=8).contains(&small) && (18..=24).contains(&large), "{small} {large}");
}

fn sharpen(rig: &Rig, way: Way) {
    // 5/16 of the binomial kernel lie over the edge: 40 of 128.
    for (amount, low, high) in [("0", 64, 192), ("0.5", 44, 212), ("1", 24, 232), ("-1", 104, 152)] {
        let row = way.edge(rig, &format!("sharpen: {amount}"));
        about(row[31].into(), f64::from(low), 4.0);
        about(row[32].into(), f64::from(high), 4.0);
        about(row[10].into(), 64.0, 2.0);
    }
}

fn speed(rig: &Rig, way: Way) {
    let seen = way.see(rig, "speed: 2", "steps.mkv");
    let (steps, samples) = (seen.steps(), seen.samples());
    assert_eq!((steps.len(), samples), (25, 48_000));
    assert!(steps.iter().enumerate().all(|(at, step)| step.abs_diff(2 * at) <= 1), "{steps:?}");
    about(seen.second(24_000).into(), 1.0, 0.1);
    let seen = way.see(rig, "speed: 0.5", "steps.mkv");
    assert_eq!((seen.frames.len(), seen.samples()), (100, 192_000));
    assert!(seen.steps().iter().enumerate().all(|(at, step)| step.abs_diff(at / 2) <= 1), "{:?}", seen.steps());
    about(seen.second(96_000).into(), 1.0, 0.1);
}

/// A film and a still of (200, 100, 50), and of (100, 200, 50) over it.
fn blended(rig: &Rig, config: &str) -> [[u8; 3]; 2] {
    let (base, over) = (film("#c86432"), film("#64c832"));
    let still = |film: &str| film.replace(", duration: 0.4", "");
    let node = format!("type: BLEND, config: {{{config}}}");
    [rig.see(&node, &[&base, &over]).middle(0), rig.see(&node, &[&still(&base), &still(&over)]).middle(0)]
}

fn blend_mode(rig: &Rig) {
    for (mode, expected) in [
        ("multiply", [78, 78, 10]),
        ("screen", [222, 222, 90]),
        ("overlay", [188, 157, 20]),
        ("add", [255, 255, 100]),
        ("subtract", [100, 0, 0]),
        ("average", [150, 150, 50]),
        ("difference", [100, 100, 0]),
        ("lighten", [200, 200, 50]),
        ("darken", [100, 100, 50]),
    ] {
        let [film, still] = blended(rig, &format!("mode: {mode}, opacity: 1"));
        println!("{mode}");
        near(film, expected, 5);
        near(still, expected, 1);
    }
    let [film, still] = blended(rig, "opacity: 1");
    near(film, [188, 157, 20], 5);
    near(still, [188, 157, 20], 1);
}

fn blend_opacity(rig: &Rig) {
    for (opacity, expected) in [
        (", opacity: 0", [200, 100, 50]),
        (", opacity: 0.25", [170, 95, 40]),
        ("", [139, 89, 30]),
        (", opacity: 1", [78, 78, 10]),
    ] {
        let [film, still] = blended(rig, &format!("mode: multiply{opacity}"));
        near(film, expected, 5);
        near(still, expected, 1);
    }
}
