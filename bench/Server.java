import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A process on this machine that is measured: started, waited for, looked at in /proc, stopped. */
record Server(ProcessHandle process, int port, double startSeconds) implements AutoCloseable {

  /** Starts a command with an environment; {@code ready} says whether it answers. */
  static Server start(
      List<String> command, Map<String, String> environment, Path log, int port, Ready ready)
      throws IOException, InterruptedException {
    var builder = new ProcessBuilder(command).directory(log.getParent().toFile());
    builder.environment().putAll(environment);
    builder.redirectErrorStream(true).redirectOutput(log.toFile());
    long start = System.nanoTime();
    Process process = builder.start();
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroy)); // when the run is broken off
    while (!ready.now()) {
      if (!process.isAlive() || System.nanoTime() - start > 60_000_000_000L) {
        throw new IOException(command.getFirst() + " does not start, see " + log + ":\n" + Files.readString(log));
      }
      Thread.sleep(5);
    }
    return new Server(process.toHandle(), port, (System.nanoTime() - start) / 1e9);
  }

  /** One that something else has started and stops. */
  static Server of(ProcessHandle process, int port) {
    return new Server(process, port, 0);
  }

  interface Ready {
    boolean now();
  }

  static int freePort() throws IOException {
    try (var socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /** Resident memory in megabytes. */
  long megabytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/" + process.pid() + "/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
      }
    }
    return 0;
  }

  /** Seconds of processor time that the process and its children have used. */
  double cpu() throws IOException {
    double ticks = 0;
    List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
    all.add(process);
    for (ProcessHandle each : all) {
      Path stat = Path.of("/proc/" + each.pid() + "/stat");
      if (Files.exists(stat)) {
        String text = Files.readString(stat);
        String[] fields = text.substring(text.lastIndexOf(')') + 2).split(" ");
        for (int i = 11; i <= 14; i++) { // in programs, in the system; and of children that ended
          ticks += Long.parseLong(fields[i]);
        }
      }
    }
    return ticks / 100;
  }

  @Override
  public void close() {
    process.destroy();
    try {
      process.onExit().get(40, TimeUnit.SECONDS);
    } catch (InterruptedException | ExecutionException | TimeoutException stuck) {
      process.destroyForcibly();
    }
  }
}
