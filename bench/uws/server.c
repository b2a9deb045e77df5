// The uWebSockets server of the benchmarks, on the C interface that the Python
// package socketify brings along as a library: echo, or broadcast by its own
// publish and subscribe. The declarations below are those of that interface, as
// far as this file needs them.
//
//	server echo|broadcast

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct app app;
typedef struct socket_ socket_;
typedef void (*socket_handler)(socket_ *, void *user);
typedef void (*message_handler)(socket_ *, const char *, size_t, int opcode, void *user);

struct us_socket_context_options_t {
	const char *files[6]; // of TLS
	int low_memory;
};

typedef struct {
	int compression;
	unsigned int max_payload;
	unsigned short idle_timeout;
	unsigned int max_backpressure;
	bool close_on_backpressure, reset_idle_on_send, send_pings;
	unsigned short max_lifetime;
	void *upgrade;
	socket_handler open;
	message_handler message;
	void *drain, *ping, *pong, *close, *subscription;
} behavior;

typedef struct {
	int port;
	const char *host;
	int options;
} listen_config;

app *uws_create_app(int ssl, struct us_socket_context_options_t);
void uws_ws(int ssl, app *, const char *pattern, behavior, void *user);
void uws_app_listen_with_config(int ssl, app *, listen_config, void (*)(void *, listen_config, void *), void *user);
void uws_app_run(int ssl, app *);
int uws_ws_send(int ssl, socket_ *, const char *, size_t, int opcode);
bool uws_ws_subscribe(int ssl, socket_ *, const char *topic, size_t);
bool uws_publish(int ssl, app *, const char *topic, size_t, const char *, size_t, int opcode, bool compress);
int us_socket_local_port(int ssl, void *socket);

static app *the_app;

static void echo(socket_ *s, const char *b, size_t n, int opcode, void *user) { uws_ws_send(0, s, b, n, opcode); }

static void subscribe(socket_ *s, void *user) { uws_ws_subscribe(0, s, "all", 3); }

static void publish(socket_ *s, const char *b, size_t n, int opcode, void *user) {
	uws_publish(0, the_app, "all", 3, b, n, opcode, false);
}

static void listening(void *socket, listen_config config, void *user) {
	if (!socket) {
		fprintf(stderr, "cannot listen\n");
		exit(1);
	}
	printf("127.0.0.1:%d\n", us_socket_local_port(0, socket));
	fflush(stdout);
}

// Every line of standard input is answered, and its end ends the program.
static void *control(void *unused) {
	char line[64];
	while (fgets(line, sizeof line, stdin)) {
		puts("done");
		fflush(stdout);
	}
	exit(0);
}

int main(int argc, char **argv) {
	bool all = argc > 1 && strcmp(argv[1], "broadcast") == 0;
	the_app = uws_create_app(0, (struct us_socket_context_options_t){0});
	behavior b = {
		.max_payload = 2 << 20,
		.idle_timeout = 120,
		.max_backpressure = 4 << 20,
		.send_pings = true,
		.open = all ? subscribe : NULL,
		.message = all ? publish : echo,
	};
	uws_ws(0, the_app, "/*", b, NULL);
	uws_app_listen_with_config(0, the_app, (listen_config){0, "127.0.0.1", 0}, listening, NULL);
	pthread_t t;
	pthread_create(&t, NULL, control, NULL);
	uws_app_run(0, the_app);
	return 0;
}
