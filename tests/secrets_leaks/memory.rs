//! What is left of a secret in the memory of a process that no longer needs it.
use detectviz_tests::{Launch, foreign::TempDir, memory::Masked, wait::within};
use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::ffi::OsStrExt,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

/// Within this time nothing may be left.
const GONE: Duration = Duration::from_secs(5);

/// The holder of secrets; it is killed when dropped.
struct Holder {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Copies of one canary.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Count {
    ours: usize,
    of_kernel: usize,
    regions: String,
}

// === impl Holder ===

impl Holder {
    fn start(dir: &Path, variable: &str, wanted: &[Masked]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_holder"))
            .arg(dir)
            .args(wanted.iter().map(Masked::to_string))
            .env_clear()
            // A variable need not be UTF-8.
            .env(
                "CANARY",
                OsStr::from_bytes(&[variable.as_bytes(), b"\xff"].concat()),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the holder starts");
        Self {
            commands: child.stdin.take().expect("a pipe"),
            answers: BufReader::new(child.stdout.take().expect("a pipe")),
            child,
        }
    }

    fn tell(&mut self, command: &str) -> Vec<Count> {
        writeln!(self.commands, "{command}").expect("the holder listens");
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .expect("the holder answers");
        let count = |text: &str| {
            let mut words = text.splitn(3, ' ');
            let mut number = || words.next().and_then(|word| word.parse().ok());
            let (ours, of_kernel) = (number(), number());
            Count {
                ours: ours.expect("a number"),
                of_kernel: of_kernel.expect("a number"),
                regions: words.collect(),
            }
        };
        let texts = line.trim_end().split_terminator(';');
        texts.map(count).collect()
    }

    /// Waits until nothing is left of the canaries at `at`.
    fn forgets(&mut self, at: std::ops::Range<usize>, what: &str) {
        let mut last = Vec::new();
        let gone = within(GONE, || {
            last = self.tell("count");
            last[at.clone()]
                .iter()
                .all(|count| count.ours == 0)
                .then_some(())
        });
        assert!(gone.is_some(), "{what}: {last:?}");
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Secrets of one round, one for each way to hold them, as the holder reads them.
fn canaries(round: u32) -> [String; 9] {
    let half = || format!("{:016x}", fastrand::u64(..));
    std::array::from_fn(|n| format!("{}{round}{n}{}", half(), half()))
}

/// Both halves of each: a piece of a secret is one too many.
fn masked<'a>(canaries: impl IntoIterator<Item = &'a String>) -> Vec<Masked> {
    let halves = |text: &'a String| [&text.as_bytes()[..16], &text.as_bytes()[18..]];
    canaries
        .into_iter()
        .flat_map(halves)
        .map(Masked::new)
        .collect()
}

fn write(dir: &Path, canaries: &[String; 9]) {
    let put = |name: &str, text: String| {
        let next = dir.join(".next");
        let written = fs::write(&next, text).and_then(|()| fs::rename(next, dir.join(name)));
        written.expect("the directory is ours");
    };
    let [
        token,
        user,
        password,
        json,
        escaped,
        yaml,
        block,
        env,
        broken,
    ] = canaries;
    fs::create_dir_all(dir.join("volume")).expect("the directory is ours");
    put("token", format!("{token}\n"));
    put("volume/user", user.clone());
    put("volume/password", password.clone());
    put(
        "a.json",
        format!("{{\"a\": \"{json}\", \"b\": \"\\n{escaped}\\u00e9\"}}"),
    );
    put(
        "a.yaml",
        format!("a: {yaml}\nb: '{yaml}'\nc: \"\\t{yaml}\"\nd: |\n  -----\n  {block}\n"),
    );
    put("a.env", format!("A={env}\nB=\"\\t{env}\" # of the tests\n"));
    put(
        "broken.json",
        format!("{{\"a\": \"{broken}\", \"{broken}\" }}"),
    );
    put("text.json", format!("\"{broken}\""));
    put("broken.yaml", format!("a: {broken}\nb: \"{broken}\\q\"\n"));
    put("broken.env", format!("A={broken}\nB=\"{broken}\n"));
    put("large", format!("{token}{}", "x".repeat(300_000)));
}

/// A service has two copies of every variable, of which its two stores take one each.
#[test]
fn a_service_holds_a_variable_in_its_stores_alone() {
    let [variable, ..] = canaries(0);
    let service = Launch::new(Path::new(env!("CARGO_BIN_EXE_teller")))
        .env("BYSTANDER", &variable)
        .set("teller.secrets", "[]")
        .start();
    for masked in masked([&variable]) {
        let counted = service.get(&format!("/count/{masked}")).text();
        assert_eq!(counted, "Ok(2)");
    }
}

#[test]
fn a_rotated_secret_leaves_no_copy_and_neither_does_a_dropped_one() {
    let dir = TempDir::new();
    let (first, second) = (canaries(1), canaries(2));
    let [variable, ..] = canaries(3);
    let all = masked(first.iter().chain(&second).chain([&variable]));
    let mut holder = Holder::start(dir.path(), &variable, &all);
    let (old, broken, new, env) = (0..16, 16..18, 18..34, 36..38);
    write(dir.path(), &first);
    let before = holder.tell("count");
    assert!(before.iter().all(|count| count.ours == 0), "{before:?}");
    assert!(
        before[env.clone()].iter().all(|count| count.of_kernel == 1),
        "{before:?}"
    );

    let held = holder.tell("read");
    let found = |count: &Count| count.ours > 0;
    assert!(
        held[old.clone()].iter().all(found),
        "what is held is found: {held:?}"
    );
    assert!(held[env.clone()].iter().all(found), "{held:?}");
    holder.forgets(broken, "what could not be understood");
    assert!(!held[new.clone()].iter().any(found), "{held:?}");

    write(dir.path(), &second);
    let rotated = holder.tell("read");
    assert!(rotated[new.clone()].iter().all(found), "{rotated:?}");
    holder.forgets(old, "what was replaced");

    holder.tell("drop");
    holder.forgets(new, "what was dropped");
    holder.forgets(env.clone(), "our copies of the environment");
    let end = holder.tell("count");
    let stays = |count: &Count| count.of_kernel == 1;
    assert!(
        end[env].iter().all(stays),
        "the kernel's own stays: {end:?}"
    );
}
