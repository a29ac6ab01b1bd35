//! A server that answers what a test says, byte by byte, and remembers who came.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// What happens on a connection: the first request, and the stream behind it.
type Conversation = dyn Fn(String, TcpStream, JoinSet<()>) -> JoinSet<()> + Send + Sync;

/// Who came, and what they asked.
#[derive(Default)]
pub(crate) struct Book {
    connections: AtomicUsize,
    requests: Mutex<Vec<String>>,
    asked: Notify,
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    book: Arc<Book>,
    _accepting: JoinSet<()>,
}

impl Server {
    /// Answers each request with what `answer` makes of it.
    pub(crate) async fn answering(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let answer = Arc::new(answer);
        Self::talking("127.0.0.1:0", move |request, stream, mut tasks| {
            let answer = Arc::clone(&answer);
            tasks.spawn(async move { write(stream, &answer(&request)).await });
            tasks
        })
        .await
    }

    /// Answers `200` to whoever comes: nobody should.
    pub(crate) async fn canary(address: &str) -> Self {
        Self::talking(address, |_, stream, mut tasks| {
            tasks.spawn(async move { write(stream, OK).await });
            tasks
        })
        .await
    }

    pub(crate) async fn talking(
        address: &str,
        talk: impl Fn(String, TcpStream, JoinSet<()>) -> JoinSet<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let book = Arc::new(Book::default());
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, Arc::clone(&book), Arc::new(talk)));
        Self {
            address,
            book,
            _accepting: accepting,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn connections(&self) -> usize {
        self.book.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.book.requests.lock().clone()
    }

    /// Until somebody asked something.
    pub(crate) async fn asked(&self) {
        self.book.asked.notified().await;
    }
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

async fn accept(listener: TcpListener, book: Arc<Book>, talk: Arc<Conversation>) {
    let mut tasks = JoinSet::new();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        book.connections.fetch_add(1, Ordering::SeqCst);
        let (book, talk) = (Arc::clone(&book), Arc::clone(&talk));
        tasks.spawn(async move {
            let request = read(&mut stream).await;
            book.requests.lock().push(request.clone());
            book.asked.notify_one();
            let mut inner = talk(request, stream, JoinSet::new());
            while inner.join_next().await.is_some() {}
        });
    }
}

/// Head and body of a request, or the first bytes of what is none.
async fn read(stream: &mut TcpStream) -> String {
    let (mut request, mut some) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut some).await.unwrap_or(0);
        request.extend_from_slice(&some[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let is_http = text.contains(" HTTP/1.1\r\n");
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.parse::<usize>().unwrap())
            });
            body.len() >= length.unwrap_or(0)
        });
        if read == 0 || whole || (!is_http && text.starts_with('\u{16}')) {
            return text;
        }
    }
}

pub(crate) async fn write(mut stream: TcpStream, text: &str) {
    // Who has heard enough closes.
    stream.write_all(text.as_bytes()).await.ok();
    stream.shutdown().await.ok();
}
