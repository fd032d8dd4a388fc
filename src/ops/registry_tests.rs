use super::*;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;

/// A server with one document. Before each of the next `rivals` writes somebody else writes first; the next `broken`
/// writes are carried out, but their answer is a failure.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub(crate) text: Option<String>,
    pub(crate) version: u32,
    pub(crate) rivals: u32,
    pub(crate) broken: u32,
    pub(crate) writes: u32,
    pub(crate) token: Option<&'static str>,
    pub(crate) tagless: bool,
    /// It can be read, and every write fails.
    pub(crate) failing: bool,
    /// Connections are closed as soon as they are made.
    pub(crate) away: bool,
    /// What was posted, and what is answered to that.
    pub(crate) posted: Vec<String>,
    pub(crate) posting: u16,
}

impl Shelf {
    fn answer(&mut self, method: &str, headers: &hyper::HeaderMap, body: &[u8]) -> (u16, Option<String>, String) {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        if let Some(token) = self.token
            && header("authorization") != Some(format!("Bearer {token}"))
        {
            return (401, None, String::new());
        }
        let tag = self.text.is_some().then(|| format!("\"v{}\"", self.version));
        match (method, &self.text) {
            ("GET", None) => (404, None, String::new()),
            ("GET", Some(text)) => (200, tag.filter(|_| !self.tagless), text.clone()),
            ("POST", _) => {
                self.posted.push(String::from_utf8(body.to_vec()).unwrap());
                (self.posting, None, String::new())
            }
            ("PUT", _) if self.failing => (500, None, String::new()),
            ("PUT", _) => {
                if self.rivals > 0 {
                    self.rivals -= 1;
                    let id = format!("rival-{}", self.rivals);
                    let mut document = Document::parse(self.text.as_deref().unwrap_or(""), "home").unwrap();
                    document.apply("home", &Change::Put(vec![node(&id)]));
                    self.put(document.text());
                    return (412, None, String::new());
                }
                let fits = match &tag {
                    Some(tag) => header("if-match").as_ref() == Some(tag),
                    None => header("if-none-match").as_deref() == Some("*"),
                };
                if !fits {
                    return (412, None, String::new());
                }
                self.put(String::from_utf8(body.to_vec()).unwrap());
                self.writes += 1;
                if self.broken > 0 {
                    self.broken -= 1;
                    return (502, None, String::new());
                }
                (204, None, String::new())
            }
            _ => (405, None, String::new()),
        }
    }

    fn put(&mut self, text: String) {
        self.text = Some(text);
        self.version += 1;
    }
}

pub(crate) async fn serve(shelf: Shelf) -> (Registry, Arc<Mutex<Shelf>>) {
    let shelf = Arc::new(Mutex::new(shelf));
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let url = format!("http://{}/forest.json", listener.local_addr().unwrap());
    let kept = Arc::clone(&shelf);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let shelf = Arc::clone(&kept);
            if shelf.lock().unwrap().away {
                continue;
            }
            let service = service_fn(move |request: Request<Incoming>| {
                let shelf = Arc::clone(&shelf);
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    let (status, tag, text) = shelf.lock().unwrap().answer(head.method.as_str(), &head.headers, &body);
                    let mut answer = Response::builder().status(status);
                    if let Some(tag) = tag {
                        answer = answer.header("etag", tag);
                    }
                    Ok::<_, Infallible>(answer.body(Full::new(Bytes::from(text))).unwrap())
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (Registry::Url { url, token_file: None }, shelf)
}

fn node(id: &str) -> Node {
    Node { id: id.to_owned(), addresses: vec!["192.0.2.7".parse().unwrap()], running: Some(true) }
}

fn place(registry: &Registry) -> Place<'_> {
    Place { registry, forest: "home", token: None }
}

fn ids(text: &str) -> Vec<String> {
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    let nodes = value["nodes"]["home"].as_array().unwrap();
    let mut ids: Vec<String> = nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn what_is_written_is_read_and_taken_out_again() {
    let (registry, shelf) = serve(Shelf::default()).await;
    assert_eq!(write(place(&registry), vec![node("a"), node("b")]).await.unwrap(), []);
    assert_eq!(write(place(&registry), vec![node("a"), node("b")]).await.unwrap(), []);
    assert_eq!(shelf.lock().unwrap().writes, 1, "what stands isn't written again");
    assert_eq!(ids(&read(place(&registry)).await.unwrap().text()), ["a", "b"]);
    assert_eq!(remove(place(&registry), vec!["a".to_owned(), "b".to_owned()]).await.unwrap(), []);
    assert_eq!(ids(shelf.lock().unwrap().text.as_deref().unwrap()), Vec::<String>::new());
}

#[tokio::test]
async fn nothing_is_lost_when_others_write_at_the_same_time() {
    let (registry, shelf) = serve(Shelf { rivals: 3, ..Shelf::default() }).await;
    write(place(&registry), vec![node("a")]).await.unwrap();
    assert_eq!(ids(shelf.lock().unwrap().text.as_deref().unwrap()), ["a", "rival-0", "rival-1", "rival-2"]);
    let names: Vec<String> = (0..6).map(|n| format!("many-{n}")).collect();
    let all = names.iter().map(|name| write(place(&registry), vec![node(name)]));
    for done in futures_util::future::join_all(all).await {
        done.unwrap();
    }
    assert_eq!(ids(shelf.lock().unwrap().text.as_deref().unwrap()).len(), 4 + names.len());
}

#[tokio::test(start_paused = true)]
async fn a_document_that_never_keeps_still_is_given_up() {
    let (registry, _) = serve(Shelf { rivals: 100, ..Shelf::default() }).await;
    let trouble = write(place(&registry), vec![node("a")]).await.unwrap_err();
    assert!(trouble.message.contains("somebody else wrote it meanwhile, 12 times"), "{}", trouble.message);
    assert_eq!(trouble.finding, FindingId::PlantRegistry);
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_looked_at_and_not_repeated() {
    let (registry, shelf) = serve(Shelf { broken: 1, ..Shelf::default() }).await;
    write(place(&registry), vec![node("a")]).await.unwrap();
    let shelf = shelf.lock().unwrap();
    assert_eq!((ids(shelf.text.as_deref().unwrap()), shelf.writes), (vec!["a".to_owned()], 1));
}

#[tokio::test]
async fn what_cannot_be_written_safely_is_refused_with_the_reason() {
    let secret = SecretString::from("right\n");
    let cases = [
        (Shelf { token: Some("right"), ..Shelf::default() }, None, Some("the token isn't taken (401")),
        (Shelf { token: Some("right"), ..Shelf::default() }, Some(&secret), None),
        (Shelf { text: Some("{}".into()), tagless: true, ..Shelf::default() }, None, Some("it has no ETag")),
        (Shelf { text: Some("<html>".into()), ..Shelf::default() }, None, Some("it is no JSON")),
    ];
    for (shelf, token, why) in cases {
        let (registry, shelf) = serve(shelf).await;
        let before = shelf.lock().unwrap().text.clone();
        let done = write(Place { token, ..place(&registry) }, vec![node("a")]).await;
        match why {
            None => assert!(done.is_ok(), "{done:?}"),
            Some(why) => {
                let trouble = done.unwrap_err();
                assert!(trouble.message.contains(why) && !trouble.message.contains("right"), "{}", trouble.message);
                assert_eq!(shelf.lock().unwrap().text, before);
            }
        }
    }
    let (Registry::Url { url, .. }, _) = serve(Shelf::default()).await else { panic!() };
    let untrusted = Registry::Url { url: url.replace("http:", "https:"), token_file: None };
    let trouble = write(place(&untrusted), vec![node("a")]).await.unwrap_err();
    assert!(trouble.message.starts_with(&format!("The registry {}: ", url.replace("http:", "https:"))));
    assert!(trouble.message.contains("InvalidContentType"), "{}", trouble.message);
    let nobody = Registry::Url { url: "http://127.0.0.1:9/x".into(), token_file: None };
    let trouble = write(place(&nobody), vec![node("a")]).await.unwrap_err();
    assert!(trouble.message.contains("refused"), "{}", trouble.message);
}

#[tokio::test]
async fn a_file_is_changed_whole_and_one_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("registry.json");
    let registry = Registry::File(path.to_string_lossy().into_owned());
    let names: Vec<String> = (0..8).map(|n| format!("many-{n}")).collect();
    let all = names.iter().map(|name| write(place(&registry), vec![node(name)]));
    for done in futures_util::future::join_all(all).await {
        assert_eq!(done.unwrap(), []);
    }
    assert_eq!(ids(&std::fs::read_to_string(&path).unwrap()), names);
    remove(place(&registry), names).await.unwrap();
    assert_eq!(ids(&std::fs::read_to_string(&path).unwrap()), Vec::<String>::new());
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["registry.json"], "neither lock nor half a file stays");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_no_registry_or_stays_locked_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("registry.json");
    std::fs::write(&path, "mine").unwrap();
    let registry = Registry::File(path.to_string_lossy().into_owned());
    assert!(write(place(&registry), vec![node("a")]).await.unwrap_err().message.contains("it is no JSON"));
    std::fs::write(dir.path().join("registry.json.lock"), "").unwrap();
    assert!(write(place(&registry), vec![node("a")]).await.unwrap_err().message.contains("stays locked"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    std::fs::remove_file(dir.path().join("registry.json.lock")).unwrap();
    std::fs::write(&path, "{}").unwrap();
    let mut rights = std::fs::metadata(&path).unwrap().permissions();
    rights.set_readonly(true);
    std::fs::set_permissions(&path, rights).unwrap();
    assert!(write(place(&registry), vec![node("a")]).await.unwrap_err().message.contains("it is read-only"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}");
    let nowhere = Registry::File(dir.path().join("none/registry.json").to_string_lossy().into_owned());
    let trouble = write(place(&nowhere), vec![node("a")]).await.unwrap_err();
    assert!(
        trouble.message.contains("its directory") && trouble.message.contains("No such file"),
        "{}",
        trouble.message
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_again_and_again_is_given_up() {
    let (registry, shelf) = serve(Shelf { text: Some("{}".into()), failing: true, ..Shelf::default() }).await;
    let trouble = write(place(&registry), vec![node("a")]).await.unwrap_err();
    assert!(
        trouble.message.contains("it can't be written: 500 Internal Server Error, 12 times"),
        "{}",
        trouble.message
    );
    assert_eq!(shelf.lock().unwrap().text.as_deref(), Some("{}"));
}

#[tokio::test]
async fn nobody_elses_link_beside_a_registry_is_written_through() {
    let dir = tempfile::tempdir().unwrap();
    let (victim, path) = (dir.path().join("victim"), dir.path().join("registry.json"));
    std::fs::write(&victim, "theirs").unwrap();
    std::os::unix::fs::symlink(&victim, dir.path().join("registry.json.new")).unwrap();
    file::change(&path, "forest", &Change::Put(vec![node("a")])).await.unwrap();
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "theirs");
    assert!(!path.is_symlink());
}
