import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** The service, as production starts it but without limits, and the engine with nothing on it. */
record Service(Server server) implements AutoCloseable {
  static final String SECRET_KEY = "bench-bench-bench-bench-bench-bench-0123456789abcdefABCDEF";

  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static final AtomicInteger FOLDERS = new AtomicInteger();

  /** On that database, with JSON lines in a file. */
  static Service start(Options options, Path work, Map<String, String> more) throws Exception {
    int port = Server.freePort();
    Path folder = Files.createDirectories(work.resolve("service-" + FOLDERS.incrementAndGet()));
    Map<String, String> environment = new LinkedHashMap<>(more);
    environment.put("PORT", "" + port);
    environment.put("MANAGEMENT_PORT", "0");
    environment.put("LOG_FORMAT", "json");
    environment.put("RATE_LIMIT_PER_MINUTE", "0");
    environment.put("SECRET_KEY", SECRET_KEY);
    environment.put("JWT_ISSUER", "http://bench");
    List<String> command =
        options.serve().map(List::of).orElseGet(() -> java("org.authservice.Main", "serve"));
    return new Service(
        Server.start(command, environment, folder.resolve("log"), port, () -> answers(port, "/health", 200)));
  }

  /** {@code Empty}, with the service's engine and memory. */
  static Service empty(Options options, Path work) throws Exception {
    int port = Server.freePort();
    return new Service(
        Server.start(
            java(options.root().resolve("bench/Empty.java").toString(), "" + port),
            Map.of(),
            work.resolve("empty.log"),
            port,
            () -> answers(port, "/", 204)));
  }

  int port() {
    return server.port();
  }

  String post(String path, String json) throws IOException, InterruptedException {
    var request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port() + path))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(json))
            .build();
    var response = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() != 200) {
      throw new IOException(path + ": " + response.statusCode() + " " + response.body());
    }
    return response.body();
  }

  @Override
  public void close() {
    server.close();
  }

  private static boolean answers(int port, String path, int status) {
    try {
      var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build();
      return HTTP.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == status;
    } catch (IOException | InterruptedException notYet) {
      return false;
    }
  }

  private static List<String> java(String... program) {
    List<String> command =
        new ArrayList<>(
            List.of(
                System.getProperty("java.home") + "/bin/java", "-XX:+UseSerialGC",
                "-XX:+UseCompactObjectHeaders", "-Xmx192m", "--enable-native-access=ALL-UNNAMED",
                "-Djdk.virtualThreadScheduler.parallelism="
                    + (Runtime.getRuntime().availableProcessors() + 1), // as Main has it
                "--sun-misc-unsafe-memory-access=allow", "-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(program));
    return command;
  }
}
