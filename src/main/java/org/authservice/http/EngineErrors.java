package org.authservice.http;

import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/** What the engine refuses by itself, before or beside the site, told in the site's own form. */
final class EngineErrors extends ErrorHandler {
  private final Rendering rendering;
  private final SecurityHeaders headers;

  EngineErrors(Rendering rendering, SecurityHeaders headers) {
    this.rendering = rendering;
    this.headers = headers;
  }

  @Override
  public boolean errorPageForMethod(String method) {
    return true;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    Object status = request.getAttribute(ERROR_STATUS);
    var rendered =
        rendered(
            status instanceof Integer number ? number : response.getStatus(),
            request.getHttpURI().getPath(),
            request.getHeaders().get("X-Request-ID"));
    response.setStatus(rendered.status());
    rendered.eachField(response.getHeaders()::put);
    response.getHeaders().put("Content-Length", rendered.content().length);
    response.write(true, ByteBuffer.wrap(rendered.content()), callback);
    return true;
  }

  @Override
  public ByteBuffer badMessageError(int status, String reason, HttpFields.Mutable fields) {
    var rendered = rendered(status, "", null);
    rendered.eachField(fields::put);
    return ByteBuffer.wrap(rendered.content());
  }

  private Rendering.Rendered rendered(
      int status, @Nullable String path, @Nullable String requestId) {
    Answer answer = headers.complete(path == null ? "" : path, Problem.of(code(status)).answer());
    // 505 and its like keep their status, though they share a code.
    var exact = new Answer(Math.max(400, status), answer.headers(), answer.body());
    return rendering.render(exact, JettyExchange.requestId(requestId));
  }

  private static ErrorCode code(int status) {
    return switch (status) {
      case 404 -> ErrorCode.NOT_FOUND;
      case 405 -> ErrorCode.METHOD_NOT_ALLOWED;
      case 408 -> ErrorCode.REQUEST_TIMEOUT;
      case 413 -> ErrorCode.PAYLOAD_TOO_LARGE;
      case 414 -> ErrorCode.URI_TOO_LONG;
      case 415 -> ErrorCode.UNSUPPORTED_MEDIA_TYPE;
      case 431 -> ErrorCode.HEADERS_TOO_LARGE;
      case 501 -> ErrorCode.NOT_IMPLEMENTED;
      case 503 -> ErrorCode.OVERLOADED;
      default ->
          status >= 400 && (status < 500 || status == 505)
              ? ErrorCode.BAD_REQUEST
              : ErrorCode.INTERNAL_ERROR;
    };
  }
}
