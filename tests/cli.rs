//! The command line, as a person and a script meet it: words, streams, exit codes.

use crate::support::{Home, png};

#[test]
fn the_first_command_of_the_readme_draws_the_cat() {
    let home = Home::new();
    let first = home.run(&["render", "dog", "cat", "--sync"]);
    assert_eq!(first.code, 0, "{}", first.err);
    let path = first.out.lines().last().expect("a path is printed").to_owned();
    assert!(path.starts_with(home.path().join("out/dog-").to_str().unwrap()) && path.ends_with("png"), "{path}");
    let drawing = std::fs::read(&path).expect("the path is a file");
    let image = artdag::media::decode::decode(&drawing).expect("it is a picture");
    assert!(image.width() >= 1600 && image.height() >= 1200);
    // A line drawing: mostly light, with dark lines, and grey throughout.
    let grey = image.pixels().chunks_exact(4).all(|p| p[0] == p[1] && p[1] == p[2]);
    let share = |test: &dyn Fn(u8) -> bool| {
        image.pixels().chunks_exact(4).filter(|p| test(p[0])).count() as f64 / f64::from(image.width() * image.height())
    };
    assert!(grey && share(&|v| v > 200) > 0.5 && share(&|v| v < 80) > 0.02, "no line drawing");
    assert!(!first.err.contains("cached: "), "{}", first.err);

    let second = home.run(&["render", "dog", "cat", "--sync"]);
    assert_eq!((second.code, second.out.trim_end()), (0, path.as_str()));
    assert!(second.err.contains("cached"), "{}", second.err);
}

#[test]
fn identity_returns_the_very_bytes() {
    let home = Home::new();
    for bytes in [png(9, 7, 1), b"not a picture at all".to_vec(), Vec::new()] {
        let file = home.write("input", &bytes);
        let path = home.ok(&["render", "identity", file.to_str().unwrap(), "--sync"]);
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        let json = home.run(&["run-show", "latest", "--output", "json"]).json();
        assert_eq!(json["output_hash"], json["inputs"][0]);
    }
}

#[test]
fn exit_codes_say_what_went_wrong() {
    let home = Home::new();
    home.write("broken.yaml", "name: x\ndag:\n  nodes: []\n");
    home.write("text.txt", "hello");
    let damaged = &png(40, 30, 1)[..300];
    home.write("damaged.png", damaged);
    for (words, code, says) in [
        (&["render"][..], 2, "Usage"),
        (&["no-such-command"], 2, "unrecognized"),
        (&["render", "dog", "cat", "--sync", "--out", "x.jpg"], 2, "--format jpeg"),
        (&["render", "dog", "cat", "--out", "x.png"], 2, "--sync"),
        (&["render", "dog", "cat", "--sync", "--name", "a/b"], 2, "file name"),
        (&["render", "dog", "cat", "--sync", "--format", "jpg2000"], 2, "no such format"),
        (&["run", "broken.yaml"], 3, "broken.yaml:"),
        (&["render", "dog", "text.txt", "--sync"], 3, "takes an image"),
        (&["render", "dog", "cat", "--sync", "--param", "sigma=1000"], 3, "sigma"),
        (&["render", "dog", "cat", "--sync", "--param", "sigmaa=1"], 3, "did you mean"),
        (&["render", "dgo", "cat", "--sync"], 4, "did you mean \"dog\"?"),
        (&["render", "dog", "kat", "--sync"], 4, "did you mean \"cat\"?"),
        (&["render", "dog", "./cat", "--sync"], 4, "cat"),
        (&["run", "missing.yaml"], 4, "missing.yaml"),
        (&["run-show", "0190"], 4, "no run"),
        (&["cache", "get", &"0".repeat(64)], 4, "no blob"),
        (&["assets", "rm", "dog"], 4, "no asset"),
        (&["effects", "blurr"], 4, "did you mean \"blur\"?"),
        (&["--threads", "0", "runs"], 2, "threads"),
    ] {
        let ran = home.run(words);
        assert_eq!(ran.code, code, "{words:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(says), "{words:?} does not say {says:?}: {}", ran.err);
    }
    // Damage inside of the pixels shows only when they are decoded: the run fails.
    let ran = home.run(&["render", "dog", "damaged.png", "--sync"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("node input"), "{}", ran.err);
}

#[test]
fn what_is_in_use_is_refused_and_its_holder_named() {
    let home = Home::new();
    home.ok(&["render", "dog", "cat", "--sync"]);
    let run = home.run(&["run-show", "latest", "--output", "json"]).json();
    for hash in [&run["output_hash"], &run["inputs"][0], &run["provenance_hash"]] {
        let ran = home.run(&["cache", "rm", hash.as_str().unwrap()]);
        assert_eq!(ran.code, 5, "{}", ran.err);
        assert!(ran.err.contains(run["run_id"].as_str().unwrap()), "{}", ran.err);
    }
    let info = home.run(&["cache", "info", "cat", "--output", "json"]).json();
    assert_eq!((&info["deletable"], &info["names"][0]), (&false.into(), &"cat".into()));
    let file = home.write("spare.png", png(5, 5, 9));
    let spare = home.ok(&["cache", "add", file.to_str().unwrap(), "--name", "spare"]);
    assert_eq!(home.run(&["cache", "rm", &spare, "--dry-run"]).code, 0);
    assert_eq!(home.ok(&["cache", "get", "spare", "--out", "copy.png"]), home.dir().join("copy.png").to_str().unwrap());
    home.ok(&["cache", "rm", &spare]);
    // The names go with the blob.
    assert_eq!(home.run(&["cache", "get", "spare"]).code, 4);
}

#[test]
fn data_goes_to_standard_output_and_talk_to_standard_error() {
    let home = Home::new();
    let json = home.run(&["render", "dog", "cat", "--sync", "--output", "json"]);
    let run = json.json();
    assert_eq!(run["status"], "completed");
    assert!(std::path::Path::new(run["path"].as_str().unwrap()).is_file());
    let quiet = home.run(&["render", "dog", "cat", "--sync", "-q"]);
    assert_eq!((quiet.out.lines().count(), quiet.err.as_str()), (1, ""));
    let lines = home.run(&["runs", "--output", "ndjson"]);
    assert_eq!(lines.out.lines().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()).count(), 2);
    assert_eq!(home.ok(&["runs", "-q"]).lines().next().unwrap().len(), 36);
    assert_eq!(home.run(&["assets", "ls", "--output", "json"]).json()["cat"], run["inputs"][0]);
    for words in [&["effects"][..], &["node-types"], &["settings"], &["effects", "dog"], &["node-types", "resize"]] {
        let json = home.run(&[words, &["--output", "json"]].concat());
        assert_eq!(json.code, 0, "{words:?}");
        json.json();
        assert!(!home.ok(words).is_empty());
    }
    for words in [&["completions", "bash"][..], &["man"], &["--help"], &["run", "--help"], &["--version"]] {
        assert!(home.ok(words).contains("artdag"), "{words:?}");
    }
}

#[test]
fn outputs_go_where_they_are_asked_for_in_the_format_asked_for() {
    let home = Home::new();
    for (format, magic) in [
        ("png", &b"\x89PNG"[..]),
        ("jpeg", b"\xff\xd8"),
        ("webp", b"RIFF"),
        ("gif", b"GIF8"),
        ("tiff", b"II*\0"),
        ("bmp", b"BM"),
    ] {
        let out = format!("cat.{format}");
        let path = home.ok(&["render", "invert", "cat", "--sync", "--format", format, "--out", &out]);
        assert_eq!(path, home.dir().join(&out).to_str().unwrap());
        assert!(std::fs::read(&path).unwrap().starts_with(magic), "{format}");
    }
    let named = home.ok(&["render", "invert", "cat", "--sync", "--name", "my output"]);
    let run = home.run(&["run-show", "latest", "--output", "json"]).json();
    let digits = &run["output_hash"].as_str().unwrap()[..8];
    assert_eq!(named, home.path().join(format!("out/my output-{digits}.png")).to_str().unwrap());
}

#[test]
fn a_plan_runs_nothing_and_why_names_what_differs() {
    let home = Home::new();
    let yaml = "name: lines\ndag:\n  nodes:\n    - {id: photo, type: SOURCE, config: {input: true}}\n    - {id: small, type: RESIZE, config: {width: 80, height: 60}, inputs: [photo]}\n    - {id: draw, type: EFFECT, config: {effect: dog, params: {sigma: 1.4}}, inputs: [small]}\n  output: draw\n";
    home.write("lines.yaml", yaml);
    let plan = home.run(&["plan", "lines.yaml", "-i", "photo=cat", "--output", "json"]).json();
    let states = |plan: &serde_json::Value| -> Vec<(String, String)> {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        plan["nodes"].as_array().unwrap().iter().map(|node| (text(&node["id"]), text(&node["known"]))).collect()
    };
    let expect = |words: &[(&str, &str)]| -> Vec<(String, String)> {
        words.iter().map(|(id, known)| ((*id).to_owned(), (*known).to_owned())).collect()
    };
    let cold = [("photo", "source"), ("small", "miss"), ("draw", "miss"), ("draw:encode", "miss")];
    assert_eq!(states(&plan), expect(&cold));
    assert_eq!(home.ok(&["runs", "-q"]), "");
    home.ok(&["run", "lines.yaml", "-i", "photo=cat", "--keep", "small"]);
    let changed = ["plan", "lines.yaml", "-i", "photo=cat", "--param", "draw.sigma=2", "--output", "json"];
    let warm = [("photo", "source"), ("small", "hit"), ("draw", "miss"), ("draw:encode", "miss")];
    assert_eq!(states(&home.run(&changed).json()), expect(&warm));
    let why =
        home.run(&["why", "draw", "lines.yaml", "-i", "photo=cat", "--param", "draw.sigma=2", "--output", "json"]);
    let why = why.json();
    assert_eq!(why["state"], "miss");
    let difference = &why["differences"][0];
    assert_eq!(
        (&difference["part"], &difference["here"], &difference["known"]),
        (&"parameters.params.sigma".into(), &"2".into(), &"1.4".into())
    );
    assert_eq!(why["differences"].as_array().unwrap().len(), 1);
    assert!(home.ok(&["why", "draw:encode"]).starts_with("draw:encode: hit"));
    assert_eq!(home.run(&["why", "drow"]).code, 4);
}

#[test]
fn a_home_is_made_by_any_command_with_its_token_and_cat() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::empty();
    home.ok(&["runs"]);
    let token = home.path().join("token");
    assert_eq!(std::fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(home.path()).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(home.ok(&["assets", "ls"]).contains("cat"));
    // Taken away, it stays away.
    home.ok(&["assets", "rm", "cat"]);
    assert_eq!(home.ok(&["assets", "ls", "--output", "json"]), "{}");
}
