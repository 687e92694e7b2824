(* stubdom.conf, the configuration file of the libvirt driver for xen:///stubdom
   SPDX-License-Identifier: LGPL-2.1-or-later *)

module Libvirtd_stubdom =
  autoload xfm

  let equals = del /[ \t]*=[ \t]*/ " = "
  let text (name:regexp) = [ Util.indent . key name . equals . Quote.do_quote (store /[^"'\n]*/) . Util.eol ]
  let number (name:regexp) = [ Util.indent . key name . equals . store Rx.integer . Util.eol ]

  let setting = text "image"
              | number ( "memory" | "start_timeout" | "command_timeout" | "save_limit" | "log_limit" )
              | text ( "auto_dump_path" | "save_image_format" )
              | number "restore_other_image"
              | text "vnc_listen"
              | number "vnc_auto_unix_socket"
              | text "vnc_password"
              | number "vnc_tls"
              | text "vnc_tls_x509_cert_dir"
              | number ( "vnc_tls_x509_verify" | "vnc_sasl" )
              | number ( "remote_display_port_min" | "remote_display_port_max" )
              | number ( "remote_websocket_port_min" | "remote_websocket_port_max" )

  let lns = ( Util.comment | Util.empty | setting )*

  let filter = incl "/etc/libvirt/stubdom.conf" . Util.stdexcl

  let xfm = transform lns filter
