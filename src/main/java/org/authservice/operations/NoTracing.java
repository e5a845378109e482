package org.authservice.operations;

import java.util.Map;
import org.authservice.database.Database;
import org.authservice.http.Filter;

/** No traces. */
record NoTracing() implements Tracing {
  @Override
  public Filter around(Filter filter) {
    return filter;
  }

  @Override
  public Database traced(Database database) {
    return database;
  }

  @Override
  public <T, E extends Exception> T call(
      String name, Map<String, String> attributes, Call<T, E> call) throws E {
    return call.send(Map.of());
  }

  @Override
  public void close() {
    // Nothing is left.
  }
}
