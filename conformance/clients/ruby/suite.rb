# What every script works with: who it is, where it works, and how it says what holds.
#
# usage: ruby SCRIPT.rb KUBECONFIG NAMESPACE
# Prints a line for each thing that holds; ends with an exception at the first that does not.
require 'kubeclient'

$stdout.sync = true
KUBECONFIG, NAMESPACE = ARGV

# A client of one group and version: `client` is that of the core group.
def client(path = '/api', version = 'v1')
  context = Kubeclient::Config.read(KUBECONFIG).context
  Kubeclient::Client.new(
    context.api_endpoint + path, version, ssl_options: context.ssl_options, auth_options: context.auth_options
  )
end

# Says that something holds, or ends the script.
def holds(what, is_so = true)
  raise "#{what}: does not hold" unless is_so

  puts "ok #{what}"
end

# The block must be refused with this status.
def refused(what, status)
  yield
rescue Kubeclient::HttpError => e
  holds("#{what}: #{e.error_code}", e.error_code == status)
  e
else
  raise "#{what}: was not refused"
end

def config_map(name, data = {}, labels = {})
  Kubeclient::Resource.new(metadata: { name: name, namespace: NAMESPACE, labels: labels }, data: data)
end
