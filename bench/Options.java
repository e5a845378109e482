import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a run is asked for.
 *
 * @param root the project's folder
 * @param serve the command that starts the service; without one the classes of this run are started
 * @param smoke whether to go through everything once, quickly, for the sake of going through it
 * @param only the one row to measure, for whoever works on it
 * @param rounds how often the rows take turns
 * @param seconds how long each is measured in a round
 * @param clients connections of the closed loads
 * @param few accounts in the database that the rows are measured on
 * @param many accounts in the one that shows growth
 */
record Options(
    Path root,
    Optional<String> serve,
    boolean smoke,
    Optional<String> only,
    int rounds,
    double seconds,
    int clients,
    int few,
    int many) {

  static Options of(String[] arguments) {
    Map<String, String> given = new LinkedHashMap<>();
    for (int i = 0; i < arguments.length; i++) {
      String name = arguments[i];
      if (!List.of("--root", "--serve", "--smoke", "--only", "--rounds", "--seconds", "--accounts")
          .contains(name)) {
        throw new IllegalArgumentException(
            "usage: bin/bench [--smoke] [--only ROW] [--rounds N] [--seconds N] [--accounts N]");
      }
      given.put(name, name.equals("--smoke") || i + 1 == arguments.length ? "" : arguments[++i]);
    }
    boolean smoke = given.containsKey("--smoke");
    return new Options(
        Path.of(given.getOrDefault("--root", ".")).toAbsolutePath().normalize(),
        Optional.ofNullable(given.get("--serve")),
        smoke,
        Optional.ofNullable(given.get("--only")),
        Integer.parseInt(given.getOrDefault("--rounds", smoke ? "1" : "5")),
        Double.parseDouble(given.getOrDefault("--seconds", smoke ? "0.5" : "4")),
        smoke ? 8 : 256,
        smoke ? 1_000 : 10_000,
        Integer.parseInt(given.getOrDefault("--accounts", smoke ? "2000" : "1000000")));
  }

  /** Whether a row is to be measured. */
  boolean asks(String row) {
    return only.isEmpty() || only.get().equals(row);
  }
}
