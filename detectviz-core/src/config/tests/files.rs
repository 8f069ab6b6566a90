//! Files, directories and the composition.
use super::*;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// A directory of its own, gone when dropped.
pub(super) struct Dir(PathBuf);

impl Dir {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("detectviz-config-{}-{next}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), contents).unwrap();
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The problems of `dir`, which they call `DIR`.
fn refused(dir: &Dir, sources: Sources) -> String {
    let problems = shop(&sources).expect_err("has problems").to_string();
    problems.replace(&dir.path().display().to_string(), "DIR")
}

#[test]
fn a_directory_without_configuration_is_refused() {
    let dir = Dir::new();
    assert_eq!(
        refused(&dir, Sources::new().dir(dir.path())),
        "DIR: the directory holds no configuration; put `composition.yaml` or `app_config.yaml` there, or name another with --config"
    );
    assert_eq!(
        refused(&dir, Sources::new().dir(dir.path().join("nowhere"))),
        "DIR/nowhere: the directory does not exist; create it, or name another with --config"
    );
    dir.write("file", "");
    assert_eq!(
        refused(&dir, Sources::new().dir(dir.path().join("file"))),
        "DIR/file: it is not a directory; name the directory that holds the files with --config"
    );
}

#[test]
fn files_that_cannot_be_read_are_told_together() {
    let dir = Dir::new();
    fs::create_dir(dir.path().join("composition.yaml")).unwrap();
    dir.write("app_config.yaml", b"shop: {name: \xff}");
    dir.write("app_config.dr.yaml", "shop: [\n");
    assert_eq!(
        refused(&dir, Sources::new().dir(dir.path()).profile("dr")),
        "DIR/app_config.dr.yaml:2: shop: the file is not YAML: while parsing a node, did not find expected node content; correct the line, or the indentation above it\n\
         DIR/app_config.yaml:1: the file is not UTF-8; save it as UTF-8\n\
         DIR/composition.yaml: it is a directory; put a file in its place (a ConfigMap mounted with `subPath` needs a key of that name)"
    );
}

#[test]
fn what_is_no_plain_text_is_refused() {
    let large = vec![b'#'; (1 << 20) + 1];
    for (bytes, problem) in [
        (
            &large[..],
            ": the file is larger than 1 MiB; keep data out of the configuration",
        ),
        (b"\xff\xfea\0", ": the file is UTF-16; save it as UTF-8"),
        (
            b"a: 1\nb: \0",
            ":2: the control character U+0000 stands in the file; remove it, or write it as an escape in double quotes",
        ),
        (
            b"a: \x1b[31m",
            ":1: the control character U+001B stands in the file; remove it, or write it as an escape in double quotes",
        ),
        (
            b"text",
            ":1: the file holds a text where a map is expected; write `key: value` lines",
        ),
        (
            b"- a",
            ":1: the file holds a list where a map is expected; write `key: value` lines",
        ),
    ] {
        let dir = Dir::new();
        dir.write("app_config.yaml", bytes);
        assert_eq!(
            refused(&dir, Sources::new().dir(dir.path())),
            format!("DIR/app_config.yaml{problem}")
        );
    }
}

#[test]
fn a_link_to_nowhere_and_a_device_are_refused() {
    for (target, problem) in [
        (
            "nowhere",
            "it is a link to nowhere; mount what it points to, or remove it",
        ),
        (
            "/dev/zero",
            "it cannot be read: it is not a plain file; make it a plain file that can be read",
        ),
    ] {
        let dir = Dir::new();
        std::os::unix::fs::symlink(target, dir.path().join("app_config.yaml")).unwrap();
        assert_eq!(
            refused(&dir, Sources::new().dir(dir.path())),
            format!("DIR/app_config.yaml: {problem}")
        );
    }
}

#[test]
fn an_unknown_profile_is_refused_and_never_a_path() {
    let dir = Dir::new();
    dir.write("app_config.yaml", "");
    assert_eq!(
        refused(&dir, Sources::new().dir(dir.path()).profile("prodution")),
        "--profile: the profile `prodution` is unknown; did you mean `production`? use one of `development`, `staging`, `production`, `dr`"
    );
    assert_eq!(
        refused(&dir, Sources::new().dir(dir.path()).profile("../x")),
        "--profile: the profile `../x` is unknown; use one of `development`, `staging`, `production`, `dr`"
    );
}

#[test]
fn a_profile_without_a_file_changes_nothing() {
    let dir = Dir::new();
    dir.write("app_config.yaml", "shop: {port: 1}");
    for profile in PROFILES {
        assert_eq!(
            shop(&Sources::new().dir(dir.path()).profile(profile))
                .unwrap()
                .0
                .port,
            1
        );
    }
}

fn composed(yaml: &str) -> Result<Vec<ComponentEntry>, Problems> {
    let mut loaded = load(&Sources::new().embedded_composition("app.yaml", yaml))?;
    loaded.kinds(&["http-server", "sqlite"]);
    let entries = loaded.composition().to_vec();
    loaded.finish().map(|_| entries)
}

#[test]
fn the_composition_is_read_in_order() {
    let yaml = "components:\n  - {name: http, kind: http-server, after: [db]}\n  - {name: db, kind: sqlite, enabled: false}\n";
    let entries = composed(yaml).unwrap();
    let short: Vec<_> = entries
        .iter()
        .map(|entry| (&*entry.name, &*entry.kind, entry.after.len(), entry.enabled))
        .collect();
    assert_eq!(
        short,
        [("http", "http-server", 1, true), ("db", "sqlite", 0, false)]
    );
    assert_eq!(entries[1].place.line(), Some(3));
}

#[test]
fn what_is_wrong_with_the_composition_is_told() {
    for (entries, problems) in [
        (
            "{name: a}",
            "components[0]: the key `kind` is missing; add `kind: …` here",
        ),
        (
            "{name: A, kind: sqlite}",
            "components[0].name: `A` is no name for a component; write lower-case letters, digits and dashes, at most 63, starting with a letter",
        ),
        (
            "{name: a-, kind: sqlite}",
            "components[0].name: `a-` is no name for a component; write lower-case letters, digits and dashes, at most 63, starting with a letter",
        ),
        (
            "{name: a, kind: sqlite}, {name: a, kind: sqlite}",
            "components[1].name: the name `a` is that of components[0] too; give each component a name of its own",
        ),
        (
            "{name: a, kind: sqlite, after: [bd]}, {name: db, kind: sqlite}",
            "components[0].after[0]: there is no component `bd`; did you mean `db`?",
        ),
        (
            "{name: a, kind: sqlite, after: [a]}",
            "components[0].after[0]: `a` starts after itself; remove it",
        ),
        (
            "{name: a, kind: sqlite, after: [b, b]}, {name: b, kind: sqlite}",
            "components[0].after[1]: `b` is listed twice; remove one of the two",
        ),
        (
            "{name: a, kind: sqlit}",
            "the component `a` is of the unknown kind `sqlit`; did you mean `sqlite`?",
        ),
        (
            "{name: a, kind: sqlite, afer: [a]}",
            "components[0].afer: the key `afer` is unknown; did you mean `after`?",
        ),
        (
            "{name: x, kind: sqlite, after: [a]}, {name: a, kind: sqlite, after: [b]}, {name: b, kind: sqlite, after: [c]}, {name: c, kind: sqlite, after: [a]}",
            "components[1].after: the components wait for each other: `a` after `b` after `c` after `a`; remove one `after` of the circle",
        ),
    ] {
        let yaml = format!("components: [{entries}]");
        assert_eq!(
            told(composed(&yaml)),
            format!("app:1: {problems}"),
            "{entries}"
        );
    }
    assert_eq!(
        told(composed("component: []")),
        "app:1: component: the key `component` is unknown; did you mean `components`?"
    );
    assert_eq!(
        told(composed("components: {a: 1}")),
        "app:1: components: a map stands where a list is expected; write `[one, two]`, or one `- item` a line"
    );
}

#[test]
fn a_section_of_a_component_that_does_not_run_is_let_be() {
    let sources = Sources::new()
        .embedded_composition(
            "c.yaml",
            "components: [{name: off, kind: x, enabled: false}, {name: bad}, {name: on, kind: x}]",
        )
        .embedded_app("app.yaml", "off: {a: 1}\nbad: {a: 1}\non: {a: 1}\n");
    let loaded = load(&sources).unwrap();
    assert_eq!(
        told(loaded.finish()),
        "app:3: on: the component `on` takes no configuration; remove the section\n\
         embedded c.yaml:1: components[1]: the key `kind` is missing; add `kind: …` here"
    );
}

#[test]
fn a_composition_on_disk_takes_the_place_of_the_embedded_one() {
    let dir = Dir::new();
    dir.write("composition.yaml", "components: [{name: b, kind: x}]");
    let sources = Sources::new()
        .embedded_composition("c", "components: [{name: a, kind: x}]")
        .dir(dir.path());
    let loaded = load(&sources).unwrap();
    assert_eq!(
        loaded
            .composition()
            .iter()
            .map(|entry| &*entry.name)
            .collect::<Vec<_>>(),
        ["b"]
    );
}
