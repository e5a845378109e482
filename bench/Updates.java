import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/** What the database does by itself: the one statement of a rotation, on one random row each. */
final class Updates {
  private static final int CLIENTS = 32;
  private static final String STATEMENT =
      """
      UPDATE sessions SET current_number = current_number + 0, previous_number = previous_number,
        oldest_number = oldest_number, changed_at = changed_at, previous_seen_at = 0,
        idle_expires_at = 4102444800000
      WHERE id = %s AND previous_seen_at = 0 AND ended_at IS NULL
      """;

  private Updates() {}

  static double byPgbench(Path programs, int port, String database, long first, int rows, double seconds)
      throws Exception {
    Path script = Files.createTempFile("rotation", ".sql");
    try {
      String statement = STATEMENT.formatted("md5('s' || :k)").replace('\n', ' ');
      Files.writeString(script, "\\set k random(" + first + ", " + (first + rows - 1) + ")\n" + statement + ";\n");
      String out =
          Postgres.run(
              List.of(programs.resolve("pgbench").toString(), "-h", "127.0.0.1", "-p", "" + port,
                  "-U", "postgres", "-n", "-M", "prepared", "-c", "" + CLIENTS, "-j", "2", "-T",
                  "" + Math.max(1, Math.round(seconds)), "-f", script.toString(), database));
      return out.lines()
          .filter(line -> line.startsWith("tps = "))
          .map(line -> Double.parseDouble(line.split(" ")[2]))
          .findFirst()
          .orElseThrow(() -> new IllegalStateException(out));
    } finally {
      Files.delete(script);
    }
  }

  static double byJdbc(Postgres postgres, String database, long first, int rows, double seconds)
      throws Exception {
    var count = new AtomicLong();
    List<Connection> connections = new ArrayList<>();
    for (int i = 0; i < CLIENTS; i++) {
      connections.add(postgres.connect(database));
    }
    long start = System.nanoTime();
    List<Thread> threads = new ArrayList<>();
    for (Connection connection : connections) {
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                try (connection;
                    var update = connection.prepareStatement(STATEMENT.formatted("md5('s' || ?::text)"))) {
                  while (System.nanoTime() - start < seconds * 1e9) {
                    update.setString(1, "" + ThreadLocalRandom.current().nextLong(first, first + rows));
                    update.executeUpdate();
                    count.incrementAndGet();
                  }
                } catch (java.sql.SQLException failure) {
                  System.err.println(failure);
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    return count.get() / ((System.nanoTime() - start) / 1e9);
  }
}
