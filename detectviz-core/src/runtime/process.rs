//! A process that is one service: from the command line to the exit code.
use super::{
    Builder, Options,
    args::{self, Args, Mode},
    source,
};
use crate::{
    config::Sources,
    error::{Error, ErrorKind},
    lifecycle::Signals,
    telemetry::metrics::cgroup,
};
use std::{
    fmt::Display,
    io::{self, Write},
    process::ExitCode,
};

/// Set by Kubernetes in every container, unless `enableServiceLinks` and the API's own variables are both gone.
const IN_KUBERNETES: &str = "KUBERNETES_SERVICE_HOST";

/// Does everything that `main` does.
pub(super) fn run(builder: Builder) -> ExitCode {
    let args = match Args::parse(source::arguments(), &builder.flags) {
        Ok(args) => args,
        Err(err) => return refuse(&builder.name, &err),
    };
    let environment = source::environment();
    match args.mode {
        Mode::Help => print(&args::usage(&builder.name, &builder.flags)),
        Mode::Version => print(&format!("{} {}\n", builder.name, builder.version)),
        Mode::ConfigSchema => print(&format!("{:#}\n", builder.schema())),
        Mode::CheckConfig => match builder.plan(&sources(&builder, args, environment)) {
            Ok(_) => ExitCode::SUCCESS,
            Err(problems) => refuse(&builder.name, &problems),
        },
        Mode::ConfigReport => match builder.plan(&sources(&builder, args, environment)) {
            Ok(plan) => print(&plan.effective().to_string()),
            Err(problems) => refuse(&builder.name, &problems),
        },
        Mode::Run => serve(builder, args, environment),
    }
}

fn serve(builder: Builder, args: Args, environment: Vec<(String, String)>) -> ExitCode {
    let in_kubernetes = environment.iter().any(|(name, _)| name == IN_KUBERNETES);
    let sources = sources(&builder, args, environment);
    let plan = match builder.plan(&sources) {
        Ok(plan) => plan,
        Err(problems) => return refuse(&builder.name, &problems),
    };
    let limit = cgroup::cpu_limit(source::root());
    let workers = plan.runtime_config().workers(limit, source::processors());
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_name(builder.name.clone())
        .enable_all()
        .build();
    let tokio = match tokio {
        Ok(tokio) => tokio,
        Err(err) => {
            let message = "no threads can be started: raise the limit on processes, or set runtime.workers lower";
            let err = Error::new(ErrorKind::Internal, message).with_source(err);
            return fail(&builder.name, &err);
        }
    };
    let name = builder.name.clone();
    let outcome = tokio.block_on(async move {
        let signals = Signals::of_process().map_err(|err| {
            Error::new(ErrorKind::Internal, "signals cannot be received").with_source(err)
        })?;
        let options = Options::process()
            .in_kubernetes(in_kubernetes)
            .reloading(builder, sources);
        let runtime = plan.build(options)?;
        Ok(runtime.run(signals).await)
    });
    // Blocking work that is still running is not waited for: the budget is spent.
    tokio.shutdown_background();
    match outcome {
        Ok(outcome) => {
            if let Some(err) = outcome.error() {
                show(&name, err);
            }
            ExitCode::from(outcome.exit_code())
        }
        Err(err) => fail(&name, &err),
    }
}

fn sources(builder: &Builder, args: Args, environment: Vec<(String, String)>) -> Sources {
    let mut sources = builder.sources().env(environment);
    if let Some(dir) = args.config_dir {
        sources = sources.dir(dir);
    }
    if let Some(profile) = &args.profile {
        sources = sources.profile(profile);
    }
    args.sets
        .iter()
        .fold(sources, |sources, set| sources.set(set))
}

/// Prints to stdout. A reader that went away is no failure of ours.
fn print(text: &str) -> ExitCode {
    let _ = io::stdout().lock().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

/// Says what is wrong with the command line or the configuration; nothing was bound.
fn refuse(name: &str, problems: &impl Display) -> ExitCode {
    let _ = writeln!(io::stderr().lock(), "{name}: {problems}");
    ErrorKind::Config.into()
}

fn fail(name: &str, err: &Error) -> ExitCode {
    show(name, err);
    err.kind().into()
}

/// Writes the error with its causes on one line.
fn show(name: &str, err: &Error) {
    let mut text = format!("{name}: {err}");
    let mut cause = std::error::Error::source(err);
    while let Some(err) = cause {
        text.push_str(": ");
        text.push_str(&err.to_string());
        cause = err.source();
    }
    let _ = writeln!(io::stderr().lock(), "{text}");
}
