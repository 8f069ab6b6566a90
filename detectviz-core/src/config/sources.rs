//! Where a configuration is read from.
use super::{
    composition,
    loaded::Loaded,
    merge::merge,
    node::{Node, Value},
    overlay::{self, Foreign},
    place::{Origin, Place},
    problem::{Problem, Problems},
    source, suggest, yaml,
};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The profiles that there are.
pub const PROFILES: [&str; 4] = ["development", "staging", "production", "dr"];

const COMPOSITION: &str = "composition.yaml";
const APP_CONFIG: &str = "app_config.yaml";

/// What to read, from the lowest layer to the highest: what the program embeds, the files of a directory, the file of the
/// profile, what variables of others [stand for](Self::stands_for), variables `DETECTVIZ__A__B`, and flags
/// `--set a.b=value`.
///
/// # Clone
/// A clone reads the same again: it is how a configuration is reloaded.
#[derive(Clone, Default)]
#[must_use = "it only says what to read; `load` reads"]
pub struct Sources {
    app: Vec<(Arc<str>, Arc<str>)>,
    composition: Vec<(Arc<str>, Arc<str>)>,
    dir: Option<PathBuf>,
    profile: Option<String>,
    foreign: Vec<Foreign>,
    env: Vec<(String, String)>,
    set: Vec<String>,
}

/// Reads the files and lays the layers over each other. Blocks while it reads; a reload runs it where blocking is allowed.
///
/// # Errors
/// Everything that is wrong with the files as such: one that cannot be read or is not YAML, an unknown profile. What is
/// wrong with their contents is kept, and comes from [`Loaded::finish`] together with what the sections find.
pub fn load(sources: &Sources) -> Result<Loaded, Problems> {
    let mut reader = Reader::default();
    let mut composition = reader.embedded(&sources.composition);
    let mut app = reader.embedded(&sources.app);
    let profile = sources.profile.as_deref();
    if let Some(profile) = profile.filter(|profile| !PROFILES.contains(profile)) {
        let remedy = suggest::nearest(profile, PROFILES)
            .map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        let remedy = format!("{remedy}use one of {}", suggest::list(&PROFILES));
        let place = Place::new(Origin::Flag("--profile".into()));
        reader.fatal.push(Problem::new(
            place,
            "",
            format!("the profile `{profile}` is unknown"),
            remedy,
        ));
    }
    if let Some(dir) = &sources.dir {
        reader.directory(dir, profile, &mut composition, &mut app);
    }
    let Reader {
        fatal,
        mut problems,
    } = reader;
    if !fatal.is_empty() {
        problems.extend(fatal);
        return Err(Problems::new(problems));
    }
    let (components, names) = composition::read(&mut composition, &mut problems);
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let foreign = overlay::foreign(&sources.foreign, &mut problems);
    merge(&mut app, foreign, &mut problems);
    let env = overlay::environment(&sources.env, &app, &known, &mut problems);
    merge(&mut app, env, &mut problems);
    let set = overlay::flags(&sources.set, &mut problems);
    merge(&mut app, set, &mut problems);
    Ok(Loaded::new(app, components, names, problems))
}

#[derive(Default)]
struct Reader {
    /// What makes the rest not worth reading.
    fatal: Vec<Problem>,
    problems: Vec<Problem>,
}

// === impl Sources ===

impl Sources {
    /// Nothing but the defaults of the types.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an `app_config.yaml` that is part of the program; `name` is what problems call it. May be called again: a
    /// later one lies over an earlier one.
    pub fn embedded_app(mut self, name: &str, yaml: &str) -> Self {
        self.app.push((name.into(), yaml.into()));
        self
    }

    /// Adds a `composition.yaml` that is part of the program. One in the directory takes its place.
    pub fn embedded_composition(mut self, name: &str, yaml: &str) -> Self {
        self.composition.push((name.into(), yaml.into()));
        self
    }

    /// Reads `composition.yaml`, `app_config.yaml` and `app_config.<profile>.yaml` in `dir`, as far as they are there.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// Chooses one of the [`PROFILES`].
    pub fn profile(mut self, profile: &str) -> Self {
        self.profile = Some(profile.to_owned());
        self
    }

    /// Adds variables. Only names that start with `DETECTVIZ__` are looked at, and of those not what Kubernetes sets for
    /// a Service; the others can be asked for with [`variable`](Self::variable).
    /// [`environment`](super::environment) gives those of the process.
    pub fn env(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.env.extend(variables);
        self
    }

    /// The value of a variable among those that were [added](Self::env).
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        let mut newest_first = self.env.iter().rev();
        let found = newest_first.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Sets `path` to `value`, because the variable called `variable` asks for it: one that is not ours, such as
    /// `OTEL_SERVICE_NAME`. Lies over all files and below every variable of ours; the later of two wins.
    pub fn stands_for(mut self, variable: &str, path: &str, value: serde_json::Value) -> Self {
        self.foreign.push(Foreign {
            variable: variable.to_owned(),
            path: path.to_owned(),
            value,
        });
        self
    }

    /// Adds one `path=value`, for example `http.port=8081` or `orders.tags=[a, b]`; the later of two wins.
    pub fn set(mut self, assignment: &str) -> Self {
        self.set.push(assignment.to_owned());
        self
    }

    /// Lays `upper` over this: its embedded files, variables and flags come after ours, its directory and profile take
    /// the place of ours.
    pub fn over(mut self, upper: &Self) -> Self {
        self.app.extend_from_slice(&upper.app);
        self.composition.extend_from_slice(&upper.composition);
        self.foreign.extend_from_slice(&upper.foreign);
        self.env.extend_from_slice(&upper.env);
        self.set.extend_from_slice(&upper.set);
        self.dir = upper.dir.clone().or(self.dir);
        self.profile = upper.profile.clone().or(self.profile);
        self
    }

    /// The name of the profile, if one was chosen; it need not be one of the [`PROFILES`].
    #[must_use]
    pub fn profile_name(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// The files that [`load`] looks for, there or not: what a [`FileWatch`](super::FileWatch) is to watch.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let Some(dir) = &self.dir else {
            return Vec::new();
        };
        let mut files = vec![dir.join(COMPOSITION), dir.join(APP_CONFIG)];
        if let Some(profile) = &self.profile {
            files.push(dir.join(profile_file(profile)));
        }
        files
    }
}

impl fmt::Debug for Sources {
    /// Leaves out the values, which may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("dir", &self.dir)
            .field("profile", &self.profile)
            .field("variables", &self.env.len())
            .field("set", &self.set.len())
            .finish_non_exhaustive()
    }
}

fn profile_file(profile: &str) -> String {
    format!("app_config.{profile}.yaml")
}

// === impl Reader ===

impl Reader {
    fn embedded(&mut self, files: &[(Arc<str>, Arc<str>)]) -> Node {
        let mut tree = composition::nothing();
        for (name, yaml) in files {
            self.layer(&Origin::Embedded(name.clone()), yaml.as_bytes(), &mut tree);
        }
        tree
    }

    fn directory(
        &mut self,
        dir: &Path,
        profile: Option<&str>,
        composition: &mut Node,
        app: &mut Node,
    ) {
        let wanted = [dir.join(COMPOSITION), dir.join(APP_CONFIG)];
        if let Some(problem) = source::directory(dir, &wanted) {
            self.fatal.push(problem);
            return;
        }
        self.file(&wanted[0], composition);
        self.file(&wanted[1], app);
        // A profile that is none was reported, and must not become a path.
        if let Some(profile) = profile.filter(|profile| PROFILES.contains(profile)) {
            self.file(&dir.join(profile_file(profile)), app);
        }
    }

    fn file(&mut self, path: &Path, tree: &mut Node) {
        match source::file(path) {
            Ok(Some((origin, bytes))) => self.layer(&origin, &bytes, tree),
            Ok(None) => {}
            Err(problem) => self.fatal.push(*problem),
        }
    }

    fn layer(&mut self, origin: &Origin, bytes: &[u8], tree: &mut Node) {
        let mut found = Vec::new();
        match yaml::parse(origin, bytes, &mut found) {
            None => self.fatal.append(&mut found),
            Some(layer) if matches!(layer.value, Value::Map(_) | Value::Null { .. }) => {
                if layer.entries().is_some() {
                    merge(tree, layer, &mut found);
                }
                self.problems.append(&mut found);
            }
            Some(layer) => {
                let what = format!(
                    "the file holds {} where a map is expected",
                    layer.describe(true)
                );
                self.fatal.append(&mut found);
                self.fatal.push(Problem::new(
                    layer.place,
                    "",
                    what,
                    "write `key: value` lines",
                ));
            }
        }
    }
}
