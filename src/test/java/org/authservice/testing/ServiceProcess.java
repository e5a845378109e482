package org.authservice.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.authservice.Main;

/** The service as a process of its own, to be killed or asked by the command line. */
public final class ServiceProcess implements AutoCloseable {
  private static final String LISTENING = "Listening:   ";

  private final Process process;
  private final HttpClient client = HttpClient.newHttpClient();
  private final List<String> output = new ArrayList<>();
  private String url = "";

  /** What a command printed, and its exit code. */
  public record Ended(int exitCode, String out, String err) {}

  private ServiceProcess(Process process) {
    this.process = process;
  }

  /** Starts the service and waits until it listens. */
  public static ServiceProcess serve(Map<String, String> settings, Path folder) {
    return serve(Main.class, settings, folder);
  }

  /** The same by another main class. */
  public static ServiceProcess serve(Class<?> main, Map<String, String> settings, Path folder) {
    return serve(System.getProperty("java.class.path"), main, settings, folder);
  }

  /** The service of other classes than those under test, on the same libraries. */
  public static ServiceProcess serveOther(Path classes, Map<String, String> settings, Path folder) {
    String libraries =
        System.getProperty("java.class.path")
            .replace(System.getProperty("auth.classpath"), classes.toString());
    return serve(libraries, Main.class, settings, folder);
  }

  private static ServiceProcess serve(
      String classPath, Class<?> main, Map<String, String> settings, Path folder) {
    try {
      ServiceProcess service =
          new ServiceProcess(start(classPath, main, settings, folder, "serve"));
      BufferedReader lines = service.process.inputReader(StandardCharsets.UTF_8);
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        service.output.add(line);
        if (line.startsWith(LISTENING)) {
          String port = settings.getOrDefault("PORT", "0");
          service.url =
              port.equals("0") ? line.substring(LISTENING.length()) : "http://localhost:" + port;
          Thread.ofVirtual().start(() -> drain(lines));
          return service;
        }
      }
      throw new IllegalStateException("it did not start: " + service.output);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Runs a command to its end. */
  public static Ended run(
      Map<String, String> settings, Path folder, String input, String... command) {
    try {
      String classPath = System.getProperty("java.class.path");
      Process process = start(classPath, Main.class, settings, folder, command);
      process.getOutputStream().write(input.getBytes(StandardCharsets.UTF_8));
      process.getOutputStream().close();
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IllegalStateException("the command does not end");
      }
      return new Ended(
          process.exitValue(),
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8),
          Files.readString(folder.resolve("stderr")));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }

  /** Where it listens; behind a proxy that is not where clients reach it. */
  public String url() {
    return url;
  }

  /** What it has printed up to the moment when it listened. */
  public List<String> output() {
    return output;
  }

  /** Sends JSON; 0 when the service is gone. */
  public int post(String path, String json) {
    return exchange(path, json).map(HttpResponse::statusCode).orElse(0);
  }

  /** Sends JSON; empty when the service is gone. */
  public Optional<HttpResponse<String>> exchange(String path, String json) {
    try {
      return Optional.of(
          client.send(
              HttpRequest.newBuilder(URI.create(url + path))
                  .timeout(Duration.ofSeconds(30))
                  .header("Content-Type", "application/json")
                  .POST(HttpRequest.BodyPublishers.ofString(json))
                  .build(),
              HttpResponse.BodyHandlers.ofString()));
    } catch (IOException gone) {
      return Optional.empty();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  /** Ends it as a power failure would. */
  public void kill() {
    process.destroyForcibly();
    awaitEnd();
  }

  /** Asks it to end, and returns its exit code. */
  public int terminate() {
    process.destroy();
    return awaitEnd();
  }

  @Override
  public void close() {
    if (process.isAlive()) {
      kill();
    }
  }

  private int awaitEnd() {
    try {
      return process.waitFor();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }

  private static Process start(
      String classPath, Class<?> main, Map<String, String> settings, Path folder, String... command)
      throws IOException {
    List<String> words =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                classPath,
                main.getName()));
    words.addAll(List.of(command));
    var builder = new ProcessBuilder(words).directory(folder.toFile());
    builder.redirectError(folder.resolve("stderr").toFile());
    builder.environment().putAll(settings);
    return builder.start();
  }

  private static void drain(BufferedReader lines) {
    try {
      while (lines.readLine() != null) {
        // a full pipe would hold the service up
      }
    } catch (IOException ended) {
      return;
    }
  }
}
