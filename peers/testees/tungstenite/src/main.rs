//! The crate tungstenite as a testee: serve | echo URL | client URL.

use std::io::{Read, Write};
use std::net::TcpListener;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{accept_with_config, client::connect_with_config, Message, WebSocket};

fn config() -> Option<WebSocketConfig> {
    Some(
        WebSocketConfig::default()
            .max_message_size(Some(64 << 20))
            .max_frame_size(Some(64 << 20)),
    )
}

fn echo<S: Read + Write>(ws: &mut WebSocket<S>) {
    loop {
        match ws.read() {
            Ok(m @ (Message::Text(_) | Message::Binary(_))) => {
                if ws.send(m).is_err() {
                    break;
                }
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    let _ = ws.flush(); // a Close frame of its own may still wait
}

fn once(url: &str) {
    if let Ok((mut ws, _)) = connect_with_config(url, config(), 0) {
        echo(&mut ws);
    }
}

fn serve() -> std::io::Result<()> {
    let l = TcpListener::bind("127.0.0.1:0")?;
    println!("ws://{}/", l.local_addr()?);
    for conn in l.incoming() {
        let conn = conn?;
        conn.set_nodelay(true)?;
        std::thread::spawn(move || {
            if let Ok(mut ws) = accept_with_config(conn, config()) {
                echo(&mut ws);
            }
        });
    }
    Ok(())
}

fn play(base: &str) {
    let (mut ws, _) = connect_with_config(format!("{base}/getCaseCount"), config(), 0).expect("the suite");
    let count: u32 = ws.read().expect("a count").to_text().expect("text").trim().parse().expect("a number");
    drop(ws);
    for n in 1..=count {
        once(&format!("{base}/runCase?case={n}&agent=tungstenite"));
    }
    once(&format!("{base}/updateReports?agent=tungstenite"));
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args[1].as_str() {
        "serve" => serve().expect("a listener"),
        "echo" => once(&args[2]),
        _ => play(&args[2]),
    }
}
