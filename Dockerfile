FROM maven:3-eclipse-temurin-25 AS build
WORKDIR /build
COPY pom.xml .
COPY src src
RUN mvn -B -ntp -Dquick -Dmaven.test.skip=true package

FROM eclipse-temurin:25-jre
RUN useradd --system --home /data auth && mkdir /data && chown auth /data
COPY --from=build /build/target/auth-service.jar /app/auth-service.jar
COPY --from=build /build/target/lib /app/lib
USER auth
WORKDIR /data
VOLUME /data
ENV HOST=0.0.0.0
EXPOSE 8000 9000
HEALTHCHECK --interval=10s --timeout=3s CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${PORT:-8000} && printf 'GET /health HTTP/1.0\\r\\nHost: x\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
ENTRYPOINT ["java", "-XX:+UseSerialGC", "-XX:+UseCompactObjectHeaders", "-XX:MaxRAMPercentage=60", "-XX:TrimNativeHeapInterval=10000", "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", "-jar", "/app/auth-service.jar"]
CMD ["serve"]
