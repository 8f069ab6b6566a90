//! The command line that every binary on a runtime has.
use crate::error::{Error, ErrorKind};
use std::{fmt::Write as _, path::PathBuf};

/// What the process was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Serve until told to stop.
    Run,
    /// Read and check the configuration, without any network.
    CheckConfig,
    /// Print every effective value with its origin, secrets redacted.
    ConfigReport,
    /// Print the JSON Schema of the configuration.
    ConfigSchema,
    /// Print the usage.
    Help,
    /// Print the version.
    Version,
}

/// What the command line says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(super) struct Args {
    /// What to do.
    pub mode: Mode,
    /// `--config DIR`: where the configuration files are.
    pub config_dir: Option<PathBuf>,
    /// `--profile P`.
    pub profile: Option<String>,
    /// `--set path=value`, and the flags that stand for one, in order.
    pub sets: Vec<String>,
}

/// A flag of one binary that stands for a key of its configuration.
#[derive(Clone, Debug)]
pub(super) struct Flag {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) help: String,
}

const COMMON: [(&str, &str); 8] = [
    (
        "--config DIR",
        "read composition.yaml and app_config.yaml from DIR",
    ),
    ("--profile P", "development, staging, production or dr"),
    (
        "--set PATH=VALUE",
        "set one key of app_config.yaml; may be repeated",
    ),
    (
        "--check-config",
        "check the configuration and exit: 0, or 64 with every problem",
    ),
    (
        "--config-report",
        "print every effective value with its origin and exit",
    ),
    (
        "--config-schema",
        "print the JSON Schema of the configuration and exit",
    ),
    ("--help", "print this and exit"),
    ("--version", "print the version and exit"),
];

// === impl Args ===

impl Args {
    /// Reads the arguments that follow the name of the program.
    pub(super) fn parse(
        args: impl IntoIterator<Item = String>,
        flags: &[Flag],
    ) -> Result<Self, Error> {
        let mut out = Self {
            mode: Mode::Run,
            config_dir: None,
            profile: None,
            sets: Vec::new(),
        };
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let (name, inline) = match arg.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (arg.as_str(), None),
            };
            let plain = inline.is_none();
            let mut value = || {
                inline
                    .clone()
                    .or_else(|| args.next())
                    .ok_or_else(|| missing(name))
            };
            match name {
                "--config" => out.config_dir = Some(PathBuf::from(value()?)),
                "--profile" => out.profile = Some(value()?),
                "--set" => out.sets.push(value()?),
                "--check-config" if plain => out.mode = Mode::CheckConfig,
                "--config-report" if plain => out.mode = Mode::ConfigReport,
                "--config-schema" if plain => out.mode = Mode::ConfigSchema,
                "--help" | "-h" if plain => out.mode = Mode::Help,
                "--version" | "-V" if plain => out.mode = Mode::Version,
                _ => match flags.iter().find(|flag| flag.name == name) {
                    Some(flag) => out.sets.push(format!("{}={}", flag.path, value()?)),
                    None => return Err(unknown(&arg)),
                },
            }
        }
        Ok(out)
    }
}

/// The text of `--help`.
pub(super) fn usage(service: &str, flags: &[Flag]) -> String {
    let mut out = format!("usage: {service} [OPTION]...\n\n");
    let own = flags.iter().map(|flag| {
        let help = format!("{} (sets {})", flag.help, flag.path);
        (format!("{} VALUE", flag.name), help)
    });
    let common = COMMON.map(|(name, help)| (name.to_owned(), help.to_owned()));
    for (name, help) in own.chain(common) {
        // Writing to a `String` does not fail.
        let _ = writeln!(out, "  {name:<24} {help}");
    }
    out
}

fn missing(name: &str) -> Error {
    let message = format!("{name} needs a value: write `{name} VALUE`; see --help");
    Error::new(ErrorKind::Config, message)
}

fn unknown(arg: &str) -> Error {
    let message = format!("unknown argument `{arg}`: see --help for those there are");
    Error::new(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Args, Error> {
        let port = Flag {
            name: "--port".into(),
            path: "http.port".into(),
            help: "the port".into(),
        };
        Args::parse(args.iter().map(|&a| a.to_owned()), &[port])
    }

    #[test]
    fn arguments_are_read_in_both_spellings() {
        let args = parse(&[
            "--config",
            "/etc/x",
            "--profile=dr",
            "--set",
            "a.b=c",
            "--port=1",
            "--port",
            "2",
        ]);
        let args = args.unwrap();
        assert_eq!(args.mode, Mode::Run);
        assert_eq!(args.config_dir, Some(PathBuf::from("/etc/x")));
        assert_eq!(args.profile.as_deref(), Some("dr"));
        assert_eq!(args.sets, ["a.b=c", "http.port=1", "http.port=2"]);
        assert_eq!(parse(&["--check-config"]).unwrap().mode, Mode::CheckConfig);
    }

    #[test]
    fn a_wrong_argument_is_named_with_its_remedy() {
        for (args, text) in [
            (&["--prot=1"][..], "unknown argument `--prot=1`"),
            (&["--port"], "--port needs a value"),
            (&["--check-config=1"], "unknown argument"),
            (&["serve"], "unknown argument `serve`"),
        ] {
            let err = parse(args).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::Config);
            assert!(err.to_string().contains(text), "{err}");
        }
    }

    #[test]
    fn the_usage_names_every_flag() {
        let usage = usage("orders", &[]);
        for (name, _) in COMMON {
            assert!(usage.contains(name));
        }
    }
}
