//! What a service says, while it is asked for everything that it can say about its secrets.
use detectviz_tests::{
    BOUND, Launch,
    foreign::TempDir,
    leaks::{Canary, Form},
    process::output,
    receiver::{Answer, Receiver},
};
use rustix::process::Signal;
use std::{fs, path::Path};

/// A service with a canary in each of its secrets.
struct Planted {
    dir: TempDir,
    canaries: Vec<Canary>,
}

// === impl Planted ===

impl Planted {
    fn new() -> Self {
        let dir = TempDir::new();
        let canaries: Vec<Canary> = (0..9).map(|_| Canary::random()).collect();
        let plain = |n: usize| canaries[n].plain();
        let quoted = |n: usize| format!("{:?}", plain(n));
        fs::create_dir(dir.path().join("volume")).expect("the directory is ours");
        for (name, text) in [
            ("token", plain(1).to_owned()),
            ("volume/password", plain(2).to_owned()),
            ("volume/user", plain(2).to_owned()),
            (
                "whole.json",
                format!("{{\"a\": {}, \"b\": \"x\"}}", quoted(3)),
            ),
            ("empty", String::new()),
            ("broken.json", format!("{{\"a\": {0}, {0} }}", quoted(4))),
            (
                "broken.yaml",
                format!("a: {}\nb: [{}]\n", quoted(5), quoted(5)),
            ),
            ("broken.env", format!("A={}\n{}\n", quoted(6), plain(6))),
        ] {
            fs::write(dir.path().join(name), text).expect("the directory is ours");
        }
        Self { dir, canaries }
    }

    fn launch(&self) -> Launch {
        let dir = self.dir.path().to_str().expect("a path of text");
        Launch::new(Path::new(env!("CARGO_BIN_EXE_teller")))
            .env("CANARY", self.canaries[0].plain())
            .set("secrets.file.root", dir)
    }

    /// The canaries that stand in `said`, by number, and in which form.
    fn found_in(&self, said: &[u8]) -> Vec<(usize, Vec<Form>)> {
        let found = self.canaries.iter().map(|canary| canary.found_in(said));
        let found = found.enumerate();
        found.filter(|(_, forms)| !forms.is_empty()).collect()
    }

    #[track_caller]
    fn holds_none(&self, what: &str, said: &[u8]) {
        let found = self.found_in(said);
        let said = String::from_utf8_lossy(said);
        assert_eq!(found, [], "{what}: {said}");
    }
}

fn exporting(launch: Launch, receiver: &Receiver) -> Launch {
    launch
        .set("telemetry.otlp.enabled", true)
        .set("telemetry.otlp.endpoint", receiver.endpoint())
        .set("telemetry.otlp.protocol", "http/protobuf")
}

#[test]
fn s10_nothing_that_a_service_says_holds_a_secret() {
    let planted = Planted::new();
    let receiver = Receiver::start(Answer::Accept);
    let service = exporting(planted.launch(), &receiver)
        .set(
            "telemetry.otlp.secret_headers",
            "{x-token: '${secret:file:token}'}",
        )
        .start();
    for (path, status, says) in [
        ("/shown", 200, "[redacted]"),
        ("/events", 200, "told"),
        ("/failures", 200, "broken.json"),
        ("/config", 200, "${secret:env:CANARY}"),
        ("/panic", 500, "problem"),
    ] {
        // The caller shows one, as callers do.
        let shown = planted.canaries[7].plain().replace('é', "");
        let mut connection = service.connect();
        let head = format!(
            "GET {path}?token={} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {shown}\r\nCookie: a={shown}\r\n\r\n",
            Form::Url.write(shown.as_bytes())
        );
        connection.send(head).expect("it reads");
        let reply = connection.reply().expect("it answers");
        let text = format!("{reply:?} {}", reply.text());
        assert_eq!(reply.status, status, "{path}: {text}");
        assert!(text.contains(says), "{path}: {text}");
        planted.holds_none(path, text.as_bytes());
    }
    for page in ["/config", "/metrics", "/readyz", "/livez", "/startupz"] {
        let reply = service.admin_get(page).expect("the admin port answers");
        planted.holds_none(page, format!("{reply:?}{}", reply.text()).as_bytes());
    }
    let page = service.admin_get("/config").expect("a page").text();
    assert!(
        page.contains("secret:env:CANARY"),
        "references are shown: {page}"
    );
    service.wait_for_log(|line| line.to_string().contains("it holds Held"));
    service.signal(Signal::TERM);
    let ended = service.wait(BOUND);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    // The last is a warning about the permissions that files have by default.
    for said in ["[redacted]", "broken.yaml", "secret.audit", "chmod 0640"] {
        assert!(ended.stdout.contains(said), "{said}: {}", ended.stdout);
    }
    planted.holds_none("stdout", ended.stdout.as_bytes());
    planted.holds_none("stderr", ended.stderr.as_bytes());
    let told = receiver.headers().into_iter().any(|headers| {
        let token = headers.get("x-token").map(|value| value.as_bytes());
        token == Some(planted.canaries[1].plain().as_bytes())
    });
    assert!(told, "the collector is told its header, and nobody else is");
    let spans = receiver.spans();
    let shown = format!("{spans:?}");
    assert!(shown.contains("telling"), "the span was exported: {shown}");
    planted.holds_none("spans", shown.as_bytes());
    planted.holds_none("metrics", format!("{:?}", receiver.metrics()).as_bytes());
}

#[test]
fn s10_a_secret_that_is_said_is_found_in_every_form() {
    let planted = Planted::new();
    let receiver = Receiver::start(Answer::Accept);
    let service = exporting(planted.launch(), &receiver).start();
    let mut seen = 0;
    for form in Form::ALL {
        let reply = service.get(&format!("/leak/{}", form.name()));
        assert_eq!(reply.status, 200);
        service.wait_for_log(|line| {
            let found = planted.found_in(line.to_string().as_bytes());
            found.iter().any(|(_, forms)| forms.contains(&form))
        });
        seen += 1;
    }
    assert_eq!(seen, Form::ALL.len());
    service.signal(Signal::TERM);
    let found = planted.found_in(service.wait(BOUND).stdout.as_bytes());
    assert_eq!(found.len(), 1, "the one that was said: {found:?}");
    let exported = format!("{:?}", receiver.spans());
    assert_eq!(planted.found_in(exported.as_bytes()), found, "{exported}");
}

#[test]
fn s10_what_the_command_line_prints_holds_no_secret_and_a_literal_in_place_of_a_reference_is_not_repeated()
 {
    let planted = Planted::new();
    for mode in ["--config-report", "--check-config", "--config-schema"] {
        let ended = planted.launch().args([mode]).run();
        assert_eq!(ended.code, Some(0), "{mode}: {}", ended.stderr);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        planted.holds_none(mode, said.as_bytes());
    }
    let literal = planted.canaries[8].plain();
    for value in [
        format!("[{literal:?}]"),
        format!("[\"${{secret:vault:{literal}\"]"),
    ] {
        let ended = planted
            .launch()
            .env("DETECTVIZ__TELLER__SECRETS", &value)
            .run();
        assert_eq!(ended.code, Some(64), "{}", ended.stderr);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains("teller.secrets"), "{said}");
        planted.holds_none("the refusal", said.as_bytes());
    }
    let shown = output(Path::new(env!("CARGO_BIN_EXE_teller")), &["--version"]);
    assert!(shown.status.success());
}
