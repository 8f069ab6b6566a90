//! Holds secrets from files and the environment, and counts the copies of them that its memory holds.
//!
//! Called with the directory of the files, and what to look for in masked form. Reads commands from stdin, one in a line, and
//! answers each with a line of counts: `read` follows everything, or waits until everything that it follows has changed; `drop`
//! lets everything go; `count` does nothing else.
use detectviz_core::{
    secret::{SecretRef, SecretWatch, SecretsProvider},
    task::Tasks,
};
use detectviz_secrets::{
    env::{EnvStore, process_environment},
    file::FileConfig,
    keeper::{CacheConfig, Keeper},
};
use detectviz_tests::memory::{Masked, count_in_environment, find};
use std::{
    io::{BufRead, Error, Write, stdin, stdout},
    path::Path,
    process::ExitCode,
    time::Duration,
};

/// What is fetched from the directory.
const FILES: [&str; 6] = ["token", "volume", "a.json", "a.yaml", "a.env", "large"];

/// What is there too, and cannot be understood.
const BROKEN: [&str; 4] = ["broken.json", "text.json", "broken.yaml", "broken.env"];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(dir) = arguments.next() else {
        return ExitCode::from(64);
    };
    let wanted: Vec<Masked> = arguments.filter_map(|text| text.parse().ok()).collect();
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let served = tokio.map(|tokio| tokio.block_on(serve(Path::new(&dir), &wanted)));
    ExitCode::from(u8::from(!matches!(served, Ok(Ok(())))))
}

/// What is followed, as a service follows it.
struct Held {
    tasks: Tasks,
    files: Keeper,
    env: Keeper,
    watches: Vec<SecretWatch>,
    _variable: SecretWatch,
}

impl Held {
    async fn new(dir: &Path) -> Result<Self, Error> {
        let tasks = Tasks::new();
        let files = FileConfig::default().root(dir).build(&tasks);
        let files = Keeper::new(files, CacheConfig::default(), &tasks);
        let env = EnvStore::new(process_environment());
        let env = Keeper::new(env, CacheConfig::default(), &tasks);
        let mut watches = Vec::new();
        for path in FILES {
            watches.push(follow(&files, &format!("file:{path}")).await?);
        }
        let variable = follow(&env, "env:CANARY").await?;
        let held = Self {
            tasks,
            files,
            env,
            watches,
            _variable: variable,
        };
        held.read_broken().await?;
        Ok(held)
    }

    async fn read_broken(&self) -> Result<(), Error> {
        for path in BROKEN {
            let reference = reference(&format!("file:{path}"))?;
            if self.files.get(&reference).await.is_ok() {
                return Err(Error::other(path));
            }
        }
        Ok(())
    }

    async fn rotated(&mut self) -> Result<(), Error> {
        for watch in &mut self.watches {
            watch
                .changed()
                .await
                .ok_or_else(|| Error::other("closed"))?;
        }
        self.read_broken().await
    }

    async fn let_go(self) -> Result<(), Error> {
        self.files.close().await;
        self.env.close().await;
        let tasks = self.tasks.clone();
        drop(self);
        tasks.cancel();
        let ended = tasks.join(Duration::from_secs(5)).await;
        ended.map_err(Error::other)
    }
}

fn reference(text: &str) -> Result<SecretRef, Error> {
    text.parse().map_err(Error::other)
}

async fn follow(keeper: &Keeper, text: &str) -> Result<SecretWatch, Error> {
    let watch = keeper.watch(&reference(text)?).await;
    watch.map_err(Error::other)
}

async fn serve(dir: &Path, wanted: &[Masked]) -> Result<(), Error> {
    let mut held: Option<Held> = None;
    for command in stdin().lock().lines() {
        match (command?.as_str(), &mut held) {
            ("read", None) => held = Some(Held::new(dir).await?),
            ("read", Some(held)) => held.rotated().await?,
            ("drop", _) => {
                if let Some(held) = held.take() {
                    held.let_go().await?;
                }
            }
            _ => {}
        }
        let mut out = stdout().lock();
        for wanted in wanted {
            let found = find(wanted);
            let at: Vec<_> = found.iter().map(|copy| copy.region.as_str()).collect();
            let at = at.join(",");
            let in_environment = count_in_environment(wanted);
            write!(out, "{} {in_environment} {at};", found.len())?;
        }
        writeln!(out)?;
        out.flush()?;
    }
    Ok(())
}
