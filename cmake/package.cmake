# What is installed, and the Debian package of it: `make deb`.
install(TARGETS penstock penstock-clickhouse RUNTIME DESTINATION bin)
install(FILES deploy/penstock.yaml DESTINATION /etc/penstock)
install(FILES deploy/penstock.service DESTINATION /lib/systemd/system)
install(FILES deploy/grafana-dashboard.json deploy/prometheus.yaml deploy/prometheus-rules.yaml
        DESTINATION share/penstock)
install(FILES ${CMAKE_BINARY_DIR}/penstock.1.gz DESTINATION share/man/man1)
install(FILES ${CMAKE_BINARY_DIR}/completion.bash
        DESTINATION share/bash-completion/completions RENAME penstock)
install(FILES ${CMAKE_BINARY_DIR}/completion.zsh
        DESTINATION share/zsh/vendor-completions RENAME _penstock)
install(FILES ${CMAKE_BINARY_DIR}/completion.fish
        DESTINATION share/fish/vendor_completions.d RENAME penstock.fish)
install(FILES README.md SECURITY.md CHANGELOG.md openapi.yaml DESTINATION share/doc/penstock)
install(FILES LICENSE DESTINATION share/doc/penstock RENAME copyright)
install(DIRECTORY docs examples DESTINATION share/doc/penstock)

# Only what is installed, and not the tests, need be built.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_CONTACT "the penstock project")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "replicates MySQL and MariaDB into ClickHouse")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "A parallel snapshot of the tables you choose, then every change from the binary log.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/deploy/debian/conffiles ${CMAKE_SOURCE_DIR}/deploy/debian/postinst
    ${CMAKE_SOURCE_DIR}/deploy/debian/prerm ${CMAKE_SOURCE_DIR}/deploy/debian/postrm)
include(CPack)
