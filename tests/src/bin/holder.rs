//! Holds secrets from files and the environment, and counts the copies of them that its memory holds.
//!
//! Called with the directory of the files, and what to look for in masked form. Reads commands from stdin, one in a line, and
//! answers each with a line of counts: `read` fetches everything and keeps it in place of what it held, `drop` drops
//! everything, `count` does nothing else.
use detectviz_core::task::Tasks;
use detectviz_secrets::{
    env::{EnvStore, process_environment},
    file::{FileConfig, FileStore},
    store::{Fetched, Store},
};
use detectviz_tests::memory::{Masked, count_in_environment, find};
use std::{
    io::{BufRead, Write, stdin, stdout},
    path::Path,
    process::ExitCode,
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

async fn serve(dir: &Path, wanted: &[Masked]) -> Result<(), std::io::Error> {
    let files = FileStore::new(FileConfig::default().root(dir), &Tasks::new());
    let mut env = None;
    let mut held: Vec<Fetched> = Vec::new();
    for command in stdin().lock().lines() {
        match command?.as_str() {
            "read" => {
                let mut next = Vec::new();
                for path in FILES {
                    let reference = format!("file:{path}").parse();
                    let fetched = files
                        .fetch(&reference.map_err(std::io::Error::other)?)
                        .await;
                    next.push(fetched.map_err(std::io::Error::other)?);
                }
                for path in BROKEN {
                    let reference = format!("file:{path}").parse();
                    let reference = reference.map_err(std::io::Error::other)?;
                    if files.fetch(&reference).await.is_ok() {
                        return Err(std::io::Error::other(path));
                    }
                }
                let env = env.get_or_insert_with(|| EnvStore::new(process_environment()));
                let reference = "env:CANARY".parse().map_err(std::io::Error::other)?;
                next.push(env.fetch(&reference).await.map_err(std::io::Error::other)?);
                held = next;
            }
            "drop" => {
                held.clear();
                env = None;
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
