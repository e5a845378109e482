import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Every figure of a run by its name, one per round. */
final class Samples {
  private final Map<String, List<Double>> values = new LinkedHashMap<>();
  private int failures;

  void note(String name, double value) {
    values.computeIfAbsent(name, _ -> new ArrayList<>()).add(value);
  }

  /** Runs a load and notes its most, its latency, and what a request cost each process. */
  void measure(String name, Load load, Server service, Server database) throws IOException {
    double before = service.cpu();
    double databaseBefore = database.cpu();
    Load.Result result = load.run(service.port());
    double count = Math.max(1, result.micros().length);
    note(name, result.perSecond());
    note(name + ", p99 ms", result.percentile(0.99) / 1000);
    note(name + ", service CPU us", (service.cpu() - before) * 1e6 / count);
    note(name + ", database CPU us", (database.cpu() - databaseBefore) * 1e6 / count);
    failed(name, result);
  }

  /** Requests that were not answered by a 2xx spoil a figure, so they are told beside it. */
  void failed(String name, Load.Result result) {
    failures += result.failures();
    if (result.failures() > 0) {
      note(name + ", failed", result.failures());
    }
  }

  int failures() {
    return failures;
  }

  boolean has(String name) {
    return values.containsKey(name);
  }

  double median(String name) {
    double[] sorted = values.getOrDefault(name, List.of(0.0)).stream().mapToDouble(it -> it).sorted().toArray();
    return sorted[sorted.length / 2];
  }

  /** One by the other in each round, sorted: what disturbs a round disturbs both of its sides. */
  double[] ratios(String name, String to) {
    List<Double> one = values.get(name);
    List<Double> other = values.get(to);
    double[] ratios = new double[Math.min(one.size(), other.size())];
    Arrays.setAll(ratios, i -> one.get(i) / other.get(i));
    Arrays.sort(ratios);
    return ratios;
  }

  /** Prints the medians and keeps every sample. */
  void write(Path file) throws IOException {
    StringBuilder json = new StringBuilder("{");
    values.forEach((name, each) -> {
      List<String> rounds = each.stream().map(it -> String.format(Locale.ROOT, "%.1f", it)).toList();
      System.out.printf(Locale.ROOT, "%-46s %10.2f   %s%n", name, median(name), rounds);
      json.append(json.length() > 1 ? ",\n" : "\n").append("  \"").append(name).append("\": ").append(each);
    });
    Files.createDirectories(file.getParent());
    Files.writeString(file, json.append("\n}\n"));
    System.out.println("\nEvery sample: " + file);
  }
}
