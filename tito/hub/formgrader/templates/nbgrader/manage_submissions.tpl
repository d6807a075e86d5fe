{%- extends "nbgrader/manage_submissions.tpl" -%}

{%- block messages -%}
<p>
  <button type="button" class="btn btn-primary" id="autograde-all">Autograde all</button>
  grades what has not been graded yet with the same tests; the icons below grade one student again.
</p>
{%- endblock -%}

{%- block script -%}
<script>
{% include "autograde_all.js" %}
</script>
{%- endblock -%}
