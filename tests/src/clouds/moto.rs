//! AWS Secrets Manager, IAM and STS as the wheel `moto` has them: a server of somebody else, driven with requests of our own.
use super::{Api, Call, Reply};
use crate::{
    foreign::{Foreign, free_ports, python},
    http1::Connection,
};
use serde_json::{Value, json};
use std::{net::SocketAddr, process::Command};

/// Where everything is.
pub const REGION: &str = "eu-west-1";

/// The server; it is killed when dropped.
#[derive(Debug)]
pub struct Moto {
    addr: SocketAddr,
    _server: Foreign,
}

// === impl Moto ===

impl Moto {
    /// Starts it, and lets everybody do everything.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start() -> Self {
        let [addr] = free_ports();
        let mut command = Command::new(python());
        command.args([
            "-c",
            "import sys; from moto.server import main; main(sys.argv[1:])",
        ]);
        command.args(["-H", "127.0.0.1", "-p", &addr.port().to_string()]);
        let mut server = Foreign::start(command, "moto[server,secretsmanager]");
        server.listens(addr);
        Self {
            addr,
            _server: server,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The same server, whose refusals by signature and policy have the form that Secrets Manager documents (*Common error
    /// types*): moto answers those in XML, with the codes of other services.
    #[must_use]
    pub fn in_form(&self) -> Api {
        let addr = self.addr;
        Api::start(move |call: &Call| {
            let mut request = format!("{} {} HTTP/1.1\r\n", call.method, call.path);
            for (name, value) in &call.headers {
                let value = value.to_str().expect("the SDK sends text");
                request.push_str(&format!("{name}: {value}\r\n"));
            }
            request.push_str(&format!("\r\n{}", call.body));
            let mut connection = Connection::open(addr).expect("a connection");
            connection.send(request).expect("it is there");
            let reply = connection.reply().expect("an answer");
            let text = reply.text();
            if !text.starts_with("<?xml") {
                return Reply::new(reply.status, text);
            }
            let code = match between(&text, "Code").as_str() {
                "AccessDenied" => "AccessDeniedException",
                "InvalidClientTokenId" => "UnrecognizedClientException",
                "SignatureDoesNotMatch" => "InvalidSignatureException",
                other => panic!("no translation of {other}"),
            };
            Reply::json(
                400,
                &json!({"__type": code, "message": between(&text, "Message")}),
            )
        })
    }

    /// Calls an action of Secrets Manager: what it answers, which is an error of AWS where the status is not 200.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn secrets(&self, action: &str, body: &Value) -> (u16, Value) {
        let head = format!(
            "Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: secretsmanager.{action}\r\n{}",
            authorization("secretsmanager")
        );
        let mut connection = Connection::open(self.addr).expect("a connection");
        let reply = connection
            .post("/", &head, &body.to_string())
            .expect("an answer");
        (reply.status, reply.json())
    }

    /// Calls an action of IAM: the text between `<tag>` and `</tag>` of the answer.
    ///
    /// # Panics
    /// When it fails, or the answer has no such tag.
    #[must_use]
    pub fn iam(&self, form: &str, tag: &str) -> String {
        between(&self.iam_text(form), tag)
    }

    /// A new access key of `user`: its id and the secret.
    ///
    /// # Panics
    /// When it is not given.
    #[must_use]
    pub fn access_key(&self, user: &str) -> (String, String) {
        let text = self.iam_text(&format!("Action=CreateAccessKey&UserName={user}"));
        (
            between(&text, "AccessKeyId"),
            between(&text, "SecretAccessKey"),
        )
    }

    /// Lets `user` do `action` to everything.
    ///
    /// # Panics
    /// When that fails.
    pub fn allow(&self, user: &str, action: &str) {
        let document = format!(
            "%7B%22Version%22:%222012-10-17%22,%22Statement%22:%5B%7B%22Effect%22:%22Allow%22,%22Action%22:%22{action}%22,\
             %22Resource%22:%22*%22%7D%5D%7D"
        );
        let form = format!(
            "Action=PutUserPolicy&UserName={user}&PolicyName=read&PolicyDocument={document}"
        );
        assert!(self.iam_text(&form).contains("PutUserPolicyResponse"));
    }

    fn iam_text(&self, form: &str) -> String {
        let head = format!(
            "Content-Type: application/x-www-form-urlencoded\r\n{}",
            authorization("iam")
        );
        let body = format!("Version=2010-05-08&{form}");
        let mut connection = Connection::open(self.addr).expect("a connection");
        connection
            .post("/", &head, &body)
            .expect("an answer")
            .text()
    }

    /// From now on signatures and policies count, but for the next `free` calls.
    ///
    /// # Panics
    /// When that fails.
    pub fn enforce(&self, free: u32) {
        let mut connection = Connection::open(self.addr).expect("a connection");
        let reply = connection.post("/moto-api/reset-auth", "", &free.to_string());
        assert_eq!(reply.expect("an answer").status, 200);
    }
}

fn between(text: &str, tag: &str) -> String {
    let (_, rest) = text
        .split_once(&format!("<{tag}>"))
        .expect("the tag is there");
    let (value, _) = rest.split_once("</").expect("the tag is closed");
    value.to_owned()
}

/// Names the service and the region; nobody checks the signature.
fn authorization(service: &str) -> String {
    format!(
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, \
         Signature=0\r\n"
    )
}
