//! The examples of docs/http-api.md and docs/xcron.md, as they stand there.

use serde_json::Value;

use super::client::{Http, Reply, served};

/// A command of a page: what it asks.
struct Example {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Example {
    /// Asks it, with an answer of status 200.
    async fn ask(&self, http: Http) -> Reply {
        let headers = self.headers.iter();
        let headers: Vec<(&str, &str)> = headers
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let body = self.body.as_bytes();
        let reply = http.ask_at(&self.method, &self.path, &headers, body).await;
        let text = String::from_utf8_lossy(&reply.body);
        assert_eq!(reply.status, 200, "{}: {text}", self.path);
        reply
    }
}

/// The lines of a page that call curl.
fn lines(page: &str) -> Vec<String> {
    let page = format!("{}/../docs/{page}", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(page).unwrap().replace("\\\n", " ");
    let lines = page.lines().filter(|line| line.starts_with("curl "));
    lines.map(str::to_owned).collect()
}

/// The words of a line, as a shell takes them: quotes may stand anywhere in one, and in double ones a backslash before a quote.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some('"'), '\\') => word.get_or_insert_default().extend(letters.next()),
            (Some(_), _) => word.get_or_insert_default().push(letter),
            (None, '\'' | '"') => {
                word.get_or_insert_default();
                quote = Some(letter);
            }
            (None, ' ') => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// What a line of curl asks for; of its options only those that the pages use.
fn example(line: &str) -> Example {
    let words = words(line);
    let mut example = Example {
        method: String::new(),
        path: String::new(),
        headers: Vec::new(),
        body: String::new(),
    };
    let mut words = words.into_iter().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "-s" => {}
            "-X" => example.method = words.next().unwrap(),
            "-H" => {
                let header = words.next().unwrap();
                let (name, value) = header.split_once(": ").unwrap();
                example.headers.push((name.to_owned(), value.to_owned()));
            }
            "--json" => example.body = words.next().unwrap(),
            url => {
                let path = url.strip_prefix("http://localhost:7480");
                path.unwrap_or_else(|| panic!("{word}"))
                    .clone_into(&mut example.path);
            }
        }
    }
    if example.method.is_empty() {
        let has_body = !example.body.is_empty();
        example.method = if has_body { "POST" } else { "GET" }.to_owned();
    }
    example
}

#[tokio::test]
async fn the_examples_of_the_page_work() {
    let Some((_caller, http)) = served().await else {
        return;
    };
    let (mut asked, mut id) = (0, String::new());
    for line in lines("http-api.md") {
        let example = example(&line.replace("$RUN", &id));
        let reply = example.ask(http).await;
        if let Some(submitted) = reply.json()["items"][0]["id"]
            .as_str()
            .filter(|_| example.path == "/api/v1/submissions")
        {
            id = submitted.replace('/', ":");
        }
        asked += 1;
    }
    assert!(asked > 8, "{asked} examples");
}

#[tokio::test]
async fn the_examples_of_the_page_of_xcron_work() {
    let Some((_caller, http)) = served().await else {
        return;
    };
    let (mut asked, mut id) = (Vec::new(), String::new());
    for line in lines("xcron.md") {
        let example = example(&line.replace("$TASK", &id));
        let reply = example.ask(http).await.json();
        assert_eq!(reply["code"], 0, "{line}: {reply}");
        if let Some(task) = reply["data"]["task_id"].as_str() {
            task.clone_into(&mut id);
        }
        let path = example.path.split('?').next().unwrap();
        asked.push(path.to_owned());
        assert!(reply["uuid"].is_string() && reply["message"] == Value::Null);
    }
    for path in ["createTask", "queryTask", "deleteTask"] {
        assert!(asked.contains(&format!("/xcron/{path}")), "{asked:?}");
    }
}
