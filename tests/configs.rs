//! Configs through the command line: registered, run by id and name, problems with their place.

use crate::support::Home;

const EXAMPLE: &str = r#"
name: my-effect            # required
version: "1.0"
description: "Apply effect to user image"
owner: "@someone@example.org"
registry:
  assets:  {cat: {hash: "CAT"}}
  effects: {dog: {hash: "DOG"}}
dag:
  nodes:
    - id: user_image
      type: SOURCE
      config: {input: true, name: "input_image", description: "…", media: image}
    - id: apply_dog
      type: EFFECT
      config: {effect: dog, params: {sigma: 1.4}}
      inputs: [user_image]
  output: apply_dog
"#;

fn example(home: &Home) -> String {
    let cat = home.run(&["assets", "ls", "--output", "json"]).json()["cat"].as_str().unwrap().to_owned();
    let dog = home.run(&["effects", "dog", "--output", "json"]).json()["hash"].as_str().unwrap().to_owned();
    EXAMPLE.replace("CAT", &cat).replace("DOG", &dog)
}

#[test]
fn the_documented_example_runs_by_file_id_and_name() {
    let home = Home::new();
    home.write("example.yaml", example(&home));
    let by_file = home.ok(&["run", "example.yaml", "-i", "user_image=cat"]);
    assert_eq!(home.ok(&["run", "example.yaml", "-i", "input_image=cat"]), by_file);
    let id = home.ok(&["configs", "add", "example.yaml"]);
    assert_eq!(home.ok(&["run", &id, "-i", "user_image=cat"]), by_file);
    assert_eq!(home.ok(&["render", "my-effect", "cat", "--sync"]), by_file);
    let run = home.run(&["run-show", "latest", "--output", "json"]).json();
    assert_eq!((&run["config_id"], &run["recipe"]), (&id.as_str().into(), &"my-effect".into()));
    let shown = home.run(&["configs", "show", "my-effect", "--output", "json"]).json();
    assert_eq!(
        (&shown["version"], &shown["nodes"], &shown["variable_inputs"][0]["name"]),
        (&"1.0".into(), &2.into(), &"input_image".into())
    );
    assert_eq!(home.ok(&["configs", "show", &id, "--yaml"]).trim(), example(&home).trim());
    // The register forgets it; the run keeps what it needs, and can still be verified.
    home.ok(&["configs", "rm", &id]);
    assert_eq!(home.run(&["configs", "show", &id]).code, 4);
    home.ok(&["verify", "latest"]);
}

#[test]
fn without_pins_the_example_works_too() {
    let home = Home::new();
    let plain: Vec<&str> = EXAMPLE.lines().filter(|line| !line.contains("CAT") && !line.contains("DOG")).collect();
    home.write("plain.yaml", plain.join("\n").replace("registry:\n", ""));
    home.ok(&["run", "plain.yaml", "-i", "user_image=cat"]);
}

#[test]
fn every_problem_is_told_at_once_with_its_place() {
    let home = Home::new();
    let yaml = "name: bad\ndag:\n  nodes:\n    - id: a\n      type: SOURSE\n      config: {input: true}\n    - id: b\n      type: RESIZE\n      config: {width: 0, hight: 5}\n      inputs: [c]\n  output: b\n";
    home.write("bad.yaml", yaml);
    let ran = home.run(&["run", "bad.yaml", "-i", "a=cat"]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""));
    for (place, says) in [
        ("bad.yaml:5:13", "did you mean \"SOURCE\"?"),
        ("bad.yaml:9:23", "width"),
        ("bad.yaml:9:26", "did you mean \"height\"?"),
        ("bad.yaml:10:16", "c"),
    ] {
        let told = ran.err.lines().any(|line| line.contains(place) && line.contains(says));
        assert!(told, "{place} {says}\n{}", ran.err);
    }
    assert_eq!(home.ok(&["runs", "-q"]), "");
    assert_eq!(home.run(&["configs", "add", "bad.yaml"]).code, 3);
}

#[test]
fn a_wrong_pin_names_the_remedy() {
    let home = Home::new();
    let yaml = EXAMPLE.replace("  assets:  {cat: {hash: \"CAT\"}}\n", "").replace("DOG", &"ab".repeat(32));
    home.write("pinned.yaml", yaml);
    let ran = home.run(&["run", "pinned.yaml", "-i", "user_image=cat"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("tak") && ran.err.contains("out"), "{}", ran.err);
}

#[test]
fn every_example_in_the_repository_runs() {
    let home = Home::new();
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut ran = 0;
    for entry in std::fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let path = path.to_str().unwrap();
        let id = home.ok(&["configs", "add", path]);
        let shown = home.run(&["configs", "show", &id, "--output", "json"]).json();
        let inputs = shown["variable_inputs"].as_array().unwrap().iter();
        let value = |media: Option<&str>| match media {
            Some("video") => crate::film::clip("ntsc.mp4").display().to_string(),
            Some("audio") => crate::film::clip("stereo.flac").display().to_string(),
            _ => "cat".to_owned(),
        };
        let given: Vec<String> = inputs
            .map(|input| format!("{}={}", input["id"].as_str().unwrap(), value(input["media"].as_str())))
            .collect();
        let mut words = vec!["run", path];
        words.extend(given.iter().flat_map(|given| ["-i", given.as_str()]));
        home.ok(&words);
        ran += 1;
    }
    assert!(ran >= 4, "only {ran} examples");
}

#[test]
fn a_config_lets_go_of_what_it_held_when_it_was_registered() {
    let home = Home::new();
    let first = home.ok(&[
        "cache",
        "add",
        home.write("a.png", crate::support::png(4, 4, 1)).to_str().unwrap(),
        "--name",
        "paper",
    ]);
    home.write(
        "fixed.yaml",
        "name: fixed\ndag:\n  nodes:\n    - {id: s, type: SOURCE, config: {asset: paper}}\n  output: s\n",
    );
    home.ok(&["configs", "add", "fixed.yaml"]);
    let refused = home.run(&["cache", "rm", &first]);
    assert_eq!(refused.code, 5);
    assert!(refused.err.contains("fixed input of config"), "{}", refused.err);
    home.ok(&["assets", "add", "paper", "cat"]);
    home.ok(&["configs", "rm", "fixed"]);
    home.ok(&["cache", "rm", &first]);
}
